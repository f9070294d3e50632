package dscp

import (
	"context"
	"net"
	"testing"

	"golang.org/x/sys/unix"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]Class{
		"ef": 46, "EF": 46, "cs0": 0, "cs3": 24, "CS7": 56, "af11": 10, "af21": 18, "af31": 26, "af41": 34, "af43": 38, "0": 0, "46": 46, "63": 63,
	} {
		if got, err := Parse(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "64", "-1", "cs8", "af14", "af51", "voice", "ef ", "cs"} {
		if c, err := Parse(text); err == nil {
			t.Errorf("%q is taken as %d", text, c)
		}
	}
}

// received is the type of service or traffic class of the next datagram.
func received(t *testing.T, conn *net.UDPConn) Class {
	t.Helper()
	oob := make([]byte, 128)
	_, n, _, _, err := conn.ReadMsgUDP(make([]byte, 10), oob)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d control messages, %v", len(messages), err)
	}
	return Class(messages[0].Data[0] >> 2)
}

func TestMarkedDatagrams(t *testing.T) {
	for network, host := range map[string]string{"udp4": "127.62.0.1", "udp6": "::1"} {
		t.Run(network, func(t *testing.T) {
			in, err := net.ListenUDP(network, &net.UDPAddr{IP: net.ParseIP(host)})
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			raw, err := in.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) {
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_RECVTOS, 1)
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_RECVTCLASS, 1)
			})
			for _, c := range []Class{EF, CS3} {
				l := net.ListenConfig{Control: c.Control}
				out, err := l.ListenPacket(context.Background(), network, net.JoinHostPort(host, "0"))
				if err != nil {
					t.Fatal(err)
				}
				if _, err := out.WriteTo([]byte("x"), in.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				if got := received(t, in); got != c {
					t.Errorf("marked %d, want %d", got, c)
				}
				out.Close()
			}
		})
	}
}

// A connection that is accepted has the listener's mark, one that is opened the dialer's.
func TestMarkedConnections(t *testing.T) {
	listen := net.ListenConfig{Control: CS3.Control}
	l, err := listen.Listen(context.Background(), "tcp4", "127.62.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dial := net.Dialer{Control: EF.Control}
	out, err := dial.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	in, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	for conn, want := range map[net.Conn]Class{out: EF, in: CS3} {
		raw, err := conn.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		raw.Control(func(fd uintptr) {
			if tos, err := unix.GetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TOS); err != nil || Class(tos>>2) != want {
				t.Errorf("marked %d, %v, want %d", tos>>2, err, want)
			}
		})
	}
}
