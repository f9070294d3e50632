package media

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	burst   = 32 // packets handed to the kernel at once
	payload = frameSamples
	warming = time.Second // not measured
	lasting = 5 * time.Second
	magic   = 0x50524f4e544f3031 // marks the generator's own packets among a relay's filler
)

// mmsghdr is one message of sendmmsg and recvmmsg.
type mmsghdr struct {
	header unix.Msghdr
	length uint32
	_      [4]byte
}

// volley is a socket with room for a burst of messages either way. All far ends of one side of the calls share it:
// a generator must cost less than what it measures.
type volley struct {
	fd      int
	out, in [burst]mmsghdr
	packets [burst][headerLen + payload]byte
	to      [burst]unix.RawSockaddrInet4
	outVec  [burst]unix.Iovec
	inVec   [burst]unix.Iovec
	read    [burst][256]byte
	control [burst][64]byte
	ready   int // packets prepared
}

func newVolley(address [4]byte) (*volley, netip.AddrPort, error) {
	v := &volley{}
	var err error
	if v.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_NONBLOCK, 0); err != nil {
		return nil, netip.AddrPort{}, err
	}
	err = errors.Join(
		unix.Bind(v.fd, &unix.SockaddrInet4{Addr: address}),
		unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 64<<20),
		unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, 8<<20),
		unix.SetsockoptInt(v.fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
	)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	for i := range burst {
		v.outVec[i] = unix.Iovec{Base: &v.packets[i][0], Len: uint64(len(v.packets[i]))}
		v.inVec[i] = unix.Iovec{Base: &v.read[i][0], Len: uint64(len(v.read[i]))}
		v.out[i].header = unix.Msghdr{Name: (*byte)(unsafe.Pointer(&v.to[i])), Namelen: unix.SizeofSockaddrInet4, Iov: &v.outVec[i], Iovlen: 1}
		v.in[i].header = unix.Msghdr{Iov: &v.inVec[i], Iovlen: 1, Control: &v.control[i][0]}
	}
	sa, err := unix.Getsockname(v.fd)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	return v, netip.AddrPortFrom(netip.AddrFrom4(address), uint16(sa.(*unix.SockaddrInet4).Port)), nil
}

// add prepares one packet and sends when the burst is full.
func (v *volley) add(to netip.AddrPort, n int, ssrc uint32, measured bool) (int, error) {
	b := &v.packets[v.ready]
	putHeader(b[:], packet{payloadType: 8, marker: n == 0, seq: uint16(n), stamp: uint32(n * frameSamples), ssrc: ssrc})
	binary.BigEndian.PutUint64(b[headerLen:], magic)
	b[headerLen+16] = 0
	if measured {
		b[headerLen+16] = 1
	}
	v.to[v.ready] = unix.RawSockaddrInet4{Family: unix.AF_INET, Port: swapped(to.Port()), Addr: to.Addr().As4()}
	v.ready++
	if v.ready < burst {
		return 0, nil
	}
	return v.flush()
}

// flush stamps and sends what is prepared.
func (v *volley) flush() (int, error) {
	n := v.ready
	v.ready = 0
	now := uint64(time.Now().UnixNano())
	for i := range n {
		binary.BigEndian.PutUint64(v.packets[i][headerLen+8:], now)
	}
	for sent := 0; sent < n; {
		done, _, errno := unix.Syscall6(unix.SYS_SENDMMSG, uintptr(v.fd), uintptr(unsafe.Pointer(&v.out[sent])), uintptr(n-sent), 0, 0, 0)
		if errno != 0 && errno != unix.EAGAIN && errno != unix.EINTR {
			return sent, errno
		}
		if errno == 0 {
			sent += int(done)
		}
	}
	return n, nil
}

// drain takes what has come and calls each for the measured packets.
func (v *volley) drain(each func(delay time.Duration)) error {
	for {
		for i := range v.in {
			v.in[i].header.Controllen = uint64(len(v.control[i]))
		}
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(v.fd), uintptr(unsafe.Pointer(&v.in[0])), burst, unix.MSG_DONTWAIT, 0, 0)
		if errno == unix.EAGAIN {
			return nil
		}
		if errno != 0 {
			return errno
		}
		for i := range int(n) {
			b := v.read[i][:v.in[i].length]
			if len(b) != headerLen+payload || binary.BigEndian.Uint64(b[headerLen:]) != magic || b[headerLen+16] == 0 {
				continue
			}
			// The control message: a header of 16 bytes, then seconds and nanoseconds.
			at := binary.NativeEndian.Uint64(v.control[i][16:])*1e9 + binary.NativeEndian.Uint64(v.control[i][24:])
			each(time.Duration(at - binary.BigEndian.Uint64(b[headerLen+8:])))
		}
		if n < burst {
			return nil
		}
	}
}

// benchGenerator is the far ends of all calls: each leg has its millisecond in every 20.
func benchGenerator(in *bufio.Scanner) error {
	runtime.LockOSThread()
	sides := [2]*volley{}
	for i := range sides {
		v, at, err := newVolley([4]byte{127, 64, 103, byte(i + 1)})
		if err != nil {
			return err
		}
		sides[i] = v
		fmt.Println(at)
	}
	in.Scan()
	calls, err := strconv.Atoi(in.Text())
	if err != nil {
		return err
	}
	legs := make([]netip.AddrPort, 2*calls)
	for i := range legs {
		in.Scan()
		if legs[i], err = netip.ParseAddrPort(in.Text()); err != nil {
			return err
		}
	}
	fmt.Println("ready")
	f, err := generate(sides, legs)
	if err != nil {
		return err
	}
	if err := json.NewEncoder(os.Stdout).Encode(f); err != nil {
		return err
	}
	for in.Scan() { // until it is not needed any more
	}
	return in.Err()
}

func generate(sides [2]*volley, legs []netip.AddrPort) (f figures, err error) {
	const slots = 20
	delays := make([]time.Duration, 0, len(legs)*int((lasting+time.Second)/frame))
	take := func(d time.Duration) { delays = append(delays, d) }
	first := time.Now()
	for slot := range int((warming + lasting) / time.Millisecond) {
		due := first.Add(time.Duration(slot) * time.Millisecond)
		if err := pass(sides, due, take); err != nil {
			return f, err
		}
		measured := time.Duration(slot)*time.Millisecond >= warming
		if late := time.Since(due); measured {
			f.Late = max(f.Late, late)
		}
		for i := slot % slots; i < len(legs); i += slots {
			if _, err := sides[i%2].add(legs[i], slot/slots, uint32(i+1), measured); err != nil {
				return f, err
			}
			if measured {
				f.Sent++
			}
		}
		for _, v := range sides {
			if _, err := v.flush(); err != nil {
				return f, err
			}
		}
	}
	if err := pass(sides, time.Now().Add(time.Second), take); err != nil {
		return f, err
	}
	f.Received = len(delays)
	if f.Received == 0 {
		return f, errors.New("nothing was relayed")
	}
	slices.Sort(delays)
	f.P50, f.P99, f.Max = delays[len(delays)/2], delays[len(delays)*99/100], delays[len(delays)-1]
	return f, nil
}

// pass spends the time until due with receiving.
func pass(sides [2]*volley, due time.Time, take func(time.Duration)) error {
	for {
		for _, v := range sides {
			if err := v.drain(take); err != nil {
				return err
			}
		}
		left := time.Until(due)
		if left <= 0 {
			return nil
		}
		nap := unix.NsecToTimespec(int64(left))
		if err := unix.Nanosleep(&nap, nil); err != nil && !errors.Is(err, unix.EINTR) {
			return err
		}
	}
}
