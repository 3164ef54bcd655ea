// Package paillier is Paillier's additively homomorphic encryption.
package paillier
