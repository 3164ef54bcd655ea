package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"chancery/events/bus"
	"chancery/workers"
)

// spareBus is a new bus of the asker's department beside its own: a process with
// an empty store, and a data directory in which a worker finds it.
type spareBus struct {
	dir     string
	profile workers.BusProfile
	server  *child
	admin   *bus.Conn
}

func (b *bench) startBus(ctx context.Context, name string) (s *spareBus, err error) {
	s = &spareBus{}
	if s.dir, err = b.scratch(name); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	var cfg bus.ServerConfig
	if err := readServerConfig(filepath.Join(b.asker.dir, "bus", "config.json"), &cfg); err != nil {
		return nil, err
	}
	cfg.Port, cfg.StoreDir = port, filepath.Join(s.dir, "store")
	profile := b.asker.profile
	profile.Bus.URL = "tls://127.0.0.1:" + strconv.Itoa(port)
	s.profile = profile.Bus
	if err := s.save(cfg, profile); err != nil {
		return nil, err
	}
	log, err := openChildLog(filepath.Join(s.dir, "bus.log"))
	if err != nil {
		return nil, err
	}
	s.server, err = startChild(log, "serve", "bus", "--config", filepath.Join(s.dir, "bus.json"))
	if err = errors.Join(err, log.Close()); err != nil {
		return nil, err
	}
	if err := awaitListener(ctx, "127.0.0.1:"+strconv.Itoa(port)); err != nil {
		return nil, fmt.Errorf("spare bus: %w", err)
	}
	s.admin, err = bus.Connect(ctx, bus.Config{URL: s.profile.URL, CA: s.profile.CA, NKeys: s.profile.NKeys, User: bus.UserAdmin})
	if err != nil {
		return nil, err
	}
	return s, s.admin.EnsureStreams(ctx)
}

func (s *spareBus) save(cfg bus.ServerConfig, profile workers.Profile) error {
	data, err := json.Marshal(cfg)
	if err != nil {
		return err
	}
	department := filepath.Join(s.dir, profile.Department)
	if err := os.MkdirAll(department, 0o700); err != nil {
		return err
	}
	return errors.Join(profile.Save(department), os.WriteFile(filepath.Join(s.dir, "bus.json"), data, 0o600))
}

// close ends the bus and removes what it stored.
func (s *spareBus) close() error {
	if s.admin != nil {
		s.admin.Close()
	}
	if s.server != nil {
		s.server.Close()
	}
	return os.RemoveAll(s.dir)
}

// memoryOf reads one figure of /proc/<pid>/status, in bytes.
func memoryOf(pid int, name string) (int64, error) {
	text := procField(fmt.Sprintf("/proc/%d/status", pid), name)
	kib, err := strconv.ParseInt(strings.TrimSuffix(text, " kB"), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s of process %d is %q", name, pid, text)
	}
	return kib << 10, nil
}

// resetPeak makes VmHWM of a process start anew from what it has now
// (proc_pid_clear_refs(5)).
func resetPeak(pid int) error {
	return os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
}
