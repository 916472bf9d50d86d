// Command reedsolomon-speed measures github.com/klauspost/reedsolomon on one thread with instructions of 128 bits (SSSE3), which is what
// WebAssembly has, so that a benchmark can compare.
//
//	reedsolomon-speed K M LENGTH ROUNDS
//
// For each line on standard input it encodes ROUNDS stripes of K pieces of LENGTH bytes and prints MB of data a second.
package main

import (
	"bufio"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/klauspost/reedsolomon"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reedsolomon-speed:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 4 {
		return errors.New("usage: reedsolomon-speed K M LENGTH ROUNDS")
	}
	var numbers [4]int
	for i, arg := range args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	data, parity, length, rounds := numbers[0], numbers[1], numbers[2], numbers[3]
	code, err := reedsolomon.New(data, parity,
		reedsolomon.WithCauchyMatrix(), reedsolomon.WithMaxGoroutines(1),
		reedsolomon.WithGFNI(false), reedsolomon.WithAVXGFNI(false), reedsolomon.WithAVX512(false), reedsolomon.WithAVX2(false),
		reedsolomon.WithSSSE3(true))
	if err != nil {
		return err
	}
	pieces := reedsolomon.AllocAligned(data+parity, length)
	for _, piece := range pieces[:data] {
		if _, err := rand.Read(piece); err != nil {
			return err
		}
	}
	asked := bufio.NewScanner(os.Stdin)
	for asked.Scan() {
		start := time.Now()
		for range rounds {
			if err := code.Encode(pieces); err != nil {
				return err
			}
		}
		fmt.Printf("%.1f\n", float64(rounds*data*length)/1e6/time.Since(start).Seconds())
	}
	return asked.Err()
}
