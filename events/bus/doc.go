// Package bus is a department's message bus: the NATS server that our binary
// embeds, its users and what each may do, and the client that workers, systems
// and the command line use.
//
// The server trusts nobody without a key of its list, and each user only with
// the subjects of its role. The client trusts the server's certificate
// authority and reports what the server refuses.
package bus
