package main

import (
	"context"
	"errors"
	"fmt"
	"net/rpc"
	"time"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// pluginKind is hashicorp/go-plugin in one of its protocols, with this program as
// the plugin. It runs native code of somebody who is trusted.
type pluginKind struct {
	name, role string
	protocol   plugin.Protocol
	plugins    plugin.PluginSet
}

var pluginKinds = []pluginKind{
	{"go-plugin, net/rpc", "plugin-rpc", plugin.ProtocolNetRPC, rpcSet},
	{"go-plugin, gRPC", "plugin-grpc", plugin.ProtocolGRPC, grpcSet},
}

// pluginRows are calls of a plugin that is there.
func pluginRows(w workload) []row {
	var rows []row
	for _, k := range pluginKinds {
		rows = append(rows, row{workload: w, what: k.name, start: k.start})
	}
	return rows
}

// coldPluginRows are plugins that are started for a call.
func coldPluginRows() []row {
	var rows []row
	for _, k := range pluginKinds {
		rows = append(rows, row{workload: coldStart, what: k.name, start: k.startCold})
	}
	return rows
}

var (
	handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "WASMPOOL_BENCH", MagicCookieValue: "echo"}
	rpcSet    = plugin.PluginSet{"echo": rpcPlugin{}}
	grpcSet   = plugin.PluginSet{"echo": grpcPlugin{}}
)

// echoer is what a plugin is for its host.
type echoer func(ctx context.Context, in []byte) ([]byte, error)

// open starts the plugin, and returns what calls it and what ends it.
func (k pluginKind) open() (call echoer, end func() error, err error) {
	cmd, err := ourselves(k.role)
	if err != nil {
		return nil, nil, err
	}
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake, Plugins: k.plugins, Cmd: cmd,
		AllowedProtocols: []plugin.Protocol{k.protocol}, Logger: hclog.NewNullLogger(),
	})
	end = func() error { c.Kill(); return nil }
	conn, err := c.Client()
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("starting the plugin: %w", err), end())
	}
	made, err := conn.Dispense("echo")
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("opening the plugin: %w", err), end())
	}
	return made.(echoer), end, nil
}

func (k pluginKind) start(_ context.Context, w workload) (*target, error) {
	call, end, err := k.open()
	if err != nil {
		return nil, err
	}
	in := w.arguments()
	return &target{close: end, measure: repeat(w.callers, func(ctx context.Context) error {
		got, err := call(ctx, in)
		if err != nil {
			return err
		}
		return expect(len(got), w.payload)
	})}, nil
}

func (k pluginKind) startCold(_ context.Context, w workload) (*target, error) {
	in := w.arguments()
	return &target{close: func() error { return nil }, measure: repeatStarts(func(ctx context.Context) (time.Duration, error) {
		begun := time.Now()
		call, end, err := k.open()
		if err != nil {
			return 0, err
		}
		got, err := call(ctx, in)
		took := time.Since(begun)
		return took, errors.Join(err, expect(len(got), w.payload), end())
	})}, nil
}

func serveRPC() {
	plugin.Serve(&plugin.ServeConfig{HandshakeConfig: handshake, Plugins: rpcSet, Logger: hclog.NewNullLogger()})
}

func serveGRPC() {
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig: handshake, Plugins: grpcSet, Logger: hclog.NewNullLogger(), GRPCServer: plugin.DefaultGRPCServer,
	})
}

// rpcPlugin is the plugin over net/rpc.
type rpcPlugin struct{}

func (rpcPlugin) Server(*plugin.MuxBroker) (any, error) { return rpcEcho{}, nil }

func (rpcPlugin) Client(_ *plugin.MuxBroker, c *rpc.Client) (any, error) {
	return echoer(func(_ context.Context, in []byte) ([]byte, error) {
		var out []byte
		err := c.Call("Plugin.Echo", in, &out)
		return out, err
	}), nil
}

type rpcEcho struct{}

// Echo is called by net/rpc.
func (rpcEcho) Echo(in []byte, out *[]byte) error {
	*out = in
	return nil
}

// grpcPlugin is the plugin over gRPC. One message with bytes needs no generated
// code.
type grpcPlugin struct{ plugin.NetRPCUnsupportedPlugin }

func (grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error { //nolint:unparam // it implements plugin.GRPCPlugin
	s.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Echo", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Echo", Handler: func(_ any, _ context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
			in := new(wrapperspb.BytesValue)
			return in, decode(in)
		}}},
	}, struct{}{})
	return nil
}

func (grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, conn *grpc.ClientConn) (any, error) { //nolint:unparam // it implements plugin.GRPCPlugin
	return echoer(func(ctx context.Context, in []byte) ([]byte, error) {
		out := new(wrapperspb.BytesValue)
		err := conn.Invoke(ctx, "/bench.Echo/Echo", wrapperspb.Bytes(in), out)
		return out.GetValue(), err
	}), nil
}
