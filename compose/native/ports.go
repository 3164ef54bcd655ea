package native

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sort"
	"strconv"
)

// loopback is the only address that anything listens on.
const loopback = "127.0.0.1"

const (
	// firstPort and lastPort bound what is allotted. They lie below the
	// ephemeral ranges of Linux and macOS, so that no outgoing connection takes
	// a port while its owner is down.
	firstPort = 20000
	lastPort  = 32000
	// allotTries is how many runs of ports are tried before giving up.
	allotTries = 100
)

// ErrPortBusy is wrapped by Up's error when another program listens on a port
// that the data directory has stored.
var ErrPortBusy = errors.New("port is busy")

// allotPorts chooses a free run of ports, one for each name in their order. The
// first is random, so that two networks made at once hardly meet. Ports that are
// taken already are not given twice.
func allotPorts(names []string, taken map[int]bool) (map[string]int, error) {
	if len(names) > lastPort-firstPort {
		return nil, fmt.Errorf("ports: %d are too many", len(names))
	}
	for range allotTries {
		first := firstPort + rand.IntN(lastPort-firstPort-len(names)+1)
		ports := map[string]int{}
		clash := false
		for i, name := range names {
			ports[name] = first + i
			clash = clash || taken[first+i]
		}
		if !clash && len(busyPorts(ports)) == 0 {
			return ports, nil
		}
	}
	return nil, fmt.Errorf("ports: no %d free in a row between %d and %d", len(names), firstPort, lastPort)
}

// busyPorts returns the names whose ports cannot be listened on, sorted.
func busyPorts(ports map[string]int) []string {
	var busy []string
	for name, port := range ports {
		listener, err := net.Listen("tcp", address(port))
		if err != nil {
			busy = append(busy, name)
			continue
		}
		listener.Close()
	}
	sort.Strings(busy)
	return busy
}

// checkPorts reports the first stored port that is busy.
func checkPorts(ports map[string]int) error {
	busy := busyPorts(ports)
	if len(busy) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %s of %s; its address is part of the network, so end the program that listens there, or start another network with another --data",
		ErrPortBusy, address(ports[busy[0]]), busy[0])
}

func address(port int) string {
	return net.JoinHostPort(loopback, strconv.Itoa(port))
}
