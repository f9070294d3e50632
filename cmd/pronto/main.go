// Command pronto is an outbound predictive dialer: it loads campaigns, decides
// how many lines to dial, checks every number against opposition registers at
// the moment of dialing, places the calls over a SIP trunk and puts the people
// who answer through to agents.
package main

import (
	"context"
	"io"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a machine without zone files still knows the called party's time
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the program without the process: it returns the exit status. The first
// SIGINT or SIGTERM ends the command's context, the second the process.
func run(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	g := &globals{}
	root := newRootCommand(g)
	root.SetArgs(args)
	root.SetIn(in)
	root.SetErr(errOut)
	paper := &printed{Writer: out}
	root.SetOut(paper)
	if isTerminal(out) { // which commands want to know, and which does not fill up
		root.SetOut(out)
	}
	err := root.ExecuteContext(ctx)
	if err != nil && !g.begun {
		err = usageError(err)
		g.json = g.json || wantsJSON(args)
	}
	err, lost := paper.outcome(err)
	return conclude(err, g.json && !lost, out, errOut)
}

// wantsJSON finds --json in arguments that could not be parsed.
func wantsJSON(args []string) bool {
	for _, a := range args {
		if a == "--" {
			return false
		}
		if a == "--json" || a == "--json=true" {
			return true
		}
	}
	return false
}
