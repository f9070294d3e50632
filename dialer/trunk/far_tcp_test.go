package trunk

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
)

// alsoTCP listens on the same port by TCP and delivers what comes there too.
func (f *far) alsoTCP() {
	f.t.Helper()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(f.addr()))
	if err != nil {
		f.t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			wg.Go(func() { f.stream(c) })
		}
	})
	f.t.Cleanup(func() {
		l.Close()
		for _, c := range conns {
			c.Close()
		}
		wg.Wait()
	})
}

// stream reads messages by their Content-Length.
func (f *far) stream(c net.Conn) {
	r := bufio.NewReader(c)
	for {
		var head strings.Builder
		length := 0
		for {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if k, v, ok := strings.Cut(line, ":"); ok && strings.EqualFold(k, "Content-Length") {
				length, _ = strconv.Atoi(strings.TrimSpace(v))
			}
			if line == "\r\n" {
				break
			}
		}
		body := make([]byte, length)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		h := hear(head.String()+string(body), c.RemoteAddr().(*net.TCPAddr).AddrPort())
		h.tcp = c
		f.in <- h
	}
}
