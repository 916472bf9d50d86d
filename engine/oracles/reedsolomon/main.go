// Command reedsolomon computes parity with github.com/klauspost/reedsolomon and its Cauchy matrix, so that tests can compare bytes.
//
//	reedsolomon K M LENGTH
//
// It reads stripes of K pieces of LENGTH bytes from standard input until it ends, and writes the M parity pieces of each to standard
// output.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"github.com/klauspost/reedsolomon"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "reedsolomon:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 3 {
		return errors.New("usage: reedsolomon K M LENGTH")
	}
	var numbers [3]int
	for i, arg := range args {
		number, err := strconv.Atoi(arg)
		if err != nil {
			return err
		}
		numbers[i] = number
	}
	data, parity, length := numbers[0], numbers[1], numbers[2]
	code, err := reedsolomon.New(data, parity, reedsolomon.WithCauchyMatrix())
	if err != nil {
		return err
	}
	in, out := bufio.NewReader(os.Stdin), bufio.NewWriter(os.Stdout)
	pieces := make([][]byte, data+parity)
	for i := range pieces {
		pieces[i] = make([]byte, length)
	}
	for {
		for i, piece := range pieces[:data] {
			_, err := io.ReadFull(in, piece)
			if err == io.EOF && i == 0 {
				return out.Flush()
			}
			if err != nil {
				return err
			}
		}
		if err := code.Encode(pieces); err != nil {
			return err
		}
		for _, piece := range pieces[data:] {
			if _, err := out.Write(piece); err != nil {
				return err
			}
		}
	}
}
