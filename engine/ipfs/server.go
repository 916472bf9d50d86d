package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ipfs/go-cid"
)

const (
	requestsAtOnce = 256
	headerWait     = 10 * time.Second
	idleWait       = 2 * time.Minute
	stopWait       = 5 * time.Second
	headerBytes    = 64 << 10 // pin/ls and block/rm name what they mean in the address
	unixPrefix     = "unix:"
)

// Listens on a loopback address or a socket of the file system, never where another machine could call: who can call can delete.
func listenRPC(address string) (net.Listener, string, error) {
	if path, ok := strings.CutPrefix(address, unixPrefix); ok {
		_ = os.Remove(path) // left by a node that was killed; a running one holds the repository's lock
		listener, err := net.Listen("unix", path)
		if err != nil {
			return nil, "", &startFault{code: "address_unusable", detail: err.Error()}
		}
		return listener, address, os.Chmod(path, 0o600)
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil || !isLoopback(host) {
		return nil, "", &startFault{code: "address_refused", detail: address}
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, "", &startFault{code: "address_unusable", detail: err.Error()}
	}
	return listener, "http://" + listener.Addr().String(), nil
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

func newServer(n *node) *http.Server {
	mux := http.NewServeMux()
	calls := map[string]call{
		"version": n.version, "id": n.identify, "diag/sys": n.diagnose,
		"swarm/connect": n.connect, "swarm/peers": n.listPeers,
		"block/put": n.putBlocks, "block/get": n.getBlock, "block/stat": n.statBlock, "block/rm": n.removeBlocks,
		"dag/import": n.importCars,
		"pin/add":    n.addPins, "pin/rm": n.removePins, "pin/ls": n.listPins,
		"repo/stat": n.statRepo, "repo/gc": n.collectGarbage,
	}
	turns := make(chan struct{}, requestsAtOnce)
	for name, run := range calls {
		mux.Handle("/api/v0/"+name, guarded(turns, run))
	}
	return &http.Server{Handler: mux, ReadHeaderTimeout: headerWait, IdleTimeout: idleWait, MaxHeaderBytes: headerBytes}
}

func shutDown(server *http.Server) error {
	ctx, cancel := context.WithTimeout(context.Background(), stopWait)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return server.Close()
	}
	return nil
}

// One call. What it writes is streamed; an error before that is an answer of its own, and one after it a trailer, as Kubo does it.
type call func(answer *answer, request *http.Request) error

func guarded(turns chan struct{}, run call) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			w.Header().Set("Allow", http.MethodPost)
			fail(w, http.StatusMethodNotAllowed, "only POST")
			return
		}
		if fromBrowser(r) {
			fail(w, http.StatusForbidden, "not for web pages")
			return
		}
		select {
		case turns <- struct{}{}:
			defer func() { <-turns }()
		case <-r.Context().Done():
			return
		}
		if wait := r.URL.Query().Get("timeout"); wait != "" {
			bound, err := time.ParseDuration(wait)
			if err != nil {
				fail(w, http.StatusBadRequest, err.Error())
				return
			}
			ctx, cancel := context.WithTimeout(r.Context(), bound)
			defer cancel()
			r = r.WithContext(ctx)
		}
		out := &answer{w: w}
		if err := run(out, r); err != nil {
			out.fail(err)
		}
	})
}

// A page in a browser on this machine could call what listens on loopback; Kubo refuses it, too.
func fromBrowser(r *http.Request) bool {
	host := r.Host
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	overTCP := r.RemoteAddr != "" && r.RemoteAddr != "@"
	return r.Header.Get("Origin") != "" || r.Header.Get("Referer") != "" || strings.HasPrefix(r.UserAgent(), "Mozilla") ||
		(overTCP && !isLoopback(strings.Trim(host, "[]")))
}

type answer struct {
	w     http.ResponseWriter
	begun bool
}

// Writes one line of JSON.
func (a *answer) emit(value any) error {
	if !a.begun {
		a.begin("application/json")
	}
	return json.NewEncoder(a.w).Encode(value)
}

func (a *answer) begin(contentType string) {
	a.begun = true
	a.w.Header().Set("Trailer", "X-Stream-Error")
	a.w.Header().Set("Content-Type", contentType)
}

func (a *answer) fail(err error) {
	if a.begun {
		a.w.Header().Set("X-Stream-Error", strings.ReplaceAll(err.Error(), "\n", " "))
		return
	}
	status := http.StatusInternalServerError
	var wrong *badArgument
	if errors.As(err, &wrong) {
		status = http.StatusBadRequest
	}
	fail(a.w, status, err.Error())
}

// An error as Kubo's RPC words it.
func fail(w http.ResponseWriter, status int, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"Message": message, "Code": 0, "Type": "error"})
}

type badArgument struct{ message string }

func (b *badArgument) Error() string { return b.message }

// The identifiers in the arguments of a call: at least one.
func cidsOf(query url.Values) ([]cid.Cid, error) {
	values := query["arg"]
	if len(values) == 0 {
		return nil, &badArgument{`argument "ipfs-path" is required`}
	}
	out := make([]cid.Cid, len(values))
	for i, value := range values {
		c, err := cid.Decode(strings.TrimPrefix(value, "/ipfs/"))
		if err != nil {
			return nil, &badArgument{"invalid path " + value + ": " + err.Error()}
		}
		out[i] = c
	}
	return out, nil
}

// A yes or no among the options of a call; absent is `otherwise`.
func flagOf(query url.Values, name string, otherwise bool) bool {
	switch query.Get(name) {
	case "true", "1":
		return true
	case "false", "0":
		return false
	default:
		return otherwise
	}
}

// Reads the files of a call's body, one after another.
func eachFile(r *http.Request, read func(io.Reader) error) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return &badArgument{"file argument is required: " + err.Error()}
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := read(part); err != nil {
			return err
		}
	}
}
