package main

import "context"

// nodeMemoryRows are the worker pools of Node.js whose workers are processes.
func nodeMemoryRows() []row {
	var rows []row
	for _, library := range []string{"@jjavery/worker-pool", "tinypool, processes"} {
		rows = append(rows, row{workload: memory, what: "Node.js " + library, start: func(_ context.Context, w workload) (*target, error) {
			n, err := startNode(library)
			if err != nil {
				return nil, err
			}
			h := herd{
				// A number of workers that it has not been asked for is a pool of its own.
				add: func(ctx context.Context, workers int) error {
					_, err := n.round(ctx, request{Task: taskCalls, Payload: w.payload, Callers: workers, Workers: workers, Milliseconds: 200, MaxSamples: 100 * workers}, nil)
					return err
				},
				pids: func() ([]int, error) { return children(n.pid) },
			}
			return &target{close: n.close, measure: h.weigh}, nil
		}})
	}
	return rows
}
