// Package native runs a network of departments on one machine without
// containers: Fabric's orderer and peers, kubo nodes, NATS servers, chaincode
// servers and workers, each a process of its own on loopback.
//
// Up builds Fabric and kubo from their Go modules once, makes identities,
// channel and chaincode definition, starts every part, waits on conditions
// until the network answers, and keeps it running: a part that ends is started
// again. Up on a data directory that it made before goes on with the same
// ledger. Every step of the set-up is recorded in the directory's network.json
// and can be repeated, so that an interrupted Up is continued by the next one.
//
// No part outlives its launcher. A graceful stop asks with SIGTERM and waits; a
// launcher that is killed takes its parts along, since the kernel ends a child
// when the thread that started it ends (prctl PR_SET_PDEATHSIG), and all are
// started by one thread that lives as long as the launcher. That works for
// programs that know nothing of it, as Fabric and kubo do; it needs Linux. On
// other systems a killed launcher leaves its parts behind.
//
// Trusted: the machine, the user who runs it, and Go's checksums of the modules
// that it builds. All departments of a native network share that machine, so it
// shows how departments work with one another; it does not separate them.
package native
