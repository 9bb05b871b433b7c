package main

import (
	"context"
	"fmt"
	"net/rpc"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// pluginRows are hashicorp/go-plugin, in both of its protocols, with this
// program as the plugin. It runs native code of somebody who is trusted.
func pluginRows(w workload) []row {
	return []row{
		{workload: w, what: "go-plugin, net/rpc", start: func(_ context.Context, w workload) (*target, error) {
			return startPlugin(w, "plugin-rpc", plugin.ProtocolNetRPC)
		}},
		{workload: w, what: "go-plugin, gRPC", start: func(_ context.Context, w workload) (*target, error) {
			return startPlugin(w, "plugin-grpc", plugin.ProtocolGRPC)
		}},
	}
}

var (
	handshake = plugin.HandshakeConfig{ProtocolVersion: 1, MagicCookieKey: "WASMPOOL_BENCH", MagicCookieValue: "echo"}
	rpcSet    = plugin.PluginSet{"echo": rpcPlugin{}}
	grpcSet   = plugin.PluginSet{"echo": grpcPlugin{}}
)

// echoer is what a plugin is for its host.
type echoer func(ctx context.Context, in []byte) ([]byte, error)

func startPlugin(w workload, role string, protocol plugin.Protocol) (*target, error) {
	cmd, err := ourselves(role)
	if err != nil {
		return nil, err
	}
	plugins := rpcSet
	if protocol == plugin.ProtocolGRPC {
		plugins = grpcSet
	}
	c := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig: handshake, Plugins: plugins, Cmd: cmd,
		AllowedProtocols: []plugin.Protocol{protocol}, Logger: hclog.NewNullLogger(),
	})
	end := func() error { c.Kill(); return nil }
	conn, err := c.Client()
	if err != nil {
		_ = end()
		return nil, fmt.Errorf("starting the plugin: %w", err)
	}
	made, err := conn.Dispense("echo")
	if err != nil {
		_ = end()
		return nil, fmt.Errorf("opening the plugin: %w", err)
	}
	call, in := made.(echoer), w.arguments()
	return &target{close: end, measure: repeat(w.callers, func(ctx context.Context) error {
		got, err := call(ctx, in)
		if err != nil {
			return err
		}
		return expect(len(got), w.payload)
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
