// Package e2e holds the whole system to its promises, over real networks: real
// Fabric, NATS and kubo processes that the built chancery binary starts, driven
// as a person drives it, by its command line, and by clients that share no code
// with it. One network serves most tests; those that start, stop or kill a
// launcher have one of their own.
//
// The tests are left out by -short and by nothing else: what is missing fails
// them. No process outlives the package's run, however that ends; see reap. The
// directories of a run that did not pass are kept, and named at its end.
package e2e
