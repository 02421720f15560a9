//go:build !race

package chain

const racing = false
