package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"pronto/dialer/store"
)

// request is what a command asks of the house.
type request struct {
	who  string          // user of the operating system, and whom --by names before it
	args json.RawMessage // of the operation
	body io.Reader       // content of the input file, empty when there is none
}

// operation is one thing that a house can do for a command, in the command's own
// process or, when pronto serve has the data folder, in the service.
type operation struct {
	reads bool // it changes nothing
	// anyRules: it has to do with the rules themselves, whatever they allow.
	anyRules bool
	// stateless: it is answered also by a service that waits for its state.
	stateless bool
	do        func(context.Context, *house, request) (any, error)
}

// operations is the table of all that commands ask of a house.
func operations() map[string]operation {
	return map[string]operation{
		"campaign apply":   changes(applyCampaign),
		"campaign list":    reads(listCampaigns),
		"campaign show":    reads(showCampaign),
		"campaign set":     changes(setCampaign),
		"campaign plan":    reads(planCampaign),
		"campaign agents":  reads(showCampaignAgents),
		"set agents":       changes(setCampaignAgents),
		"leads load":       changes(loadLeads),
		"leads preview":    reads(previewLeads),
		"leads list":       reads(listLeads),
		"leads loads":      reads(listLoads),
		"leads rollback":   changes(rollBackLoad),
		"leads export":     reads(exportLeads),
		"dnc import":       changes(importRegister),
		"dnc submit":       changes(submitNumbers),
		"dnc submissions":  reads(listSubmissions),
		"dnc withdraw":     changes(withdrawSubmission),
		"dnc plan":         reads(planRegister),
		"dnc consents":     changes(importConsents),
		"dnc optouts":      changes(importOptOuts),
		"dnc add":          changes(addOptOut),
		"dnc remove":       changes(removeOptOut),
		"dnc export":       reads(exportOptOuts),
		"audit erase":      changes(eraseNumber),
		"audit origins":    reads(findOrigins).underAnyRules(),
		"backup":           changes(backUp).underAnyRules(),
		"purge":            changes(purge),
		"hold add":         changes(addHold),
		"hold list":        reads(listHolds),
		"hold remove":      changes(removeHold),
		"node list":        reads(listNodes).underAnyRules(),
		"node forget":      changes(forgetNode),
		"dnc check":        reads(checkNumber),
		"dnc registers":    reads(listRegisters),
		"dnc rollback":     changes(rollBack),
		"dnc rules list":   reads(listRules).underAnyRules(),
		"dnc rules show":   reads(showRules).underAnyRules(),
		"dnc rules accept": changes(acceptRules).underAnyRules(),
		"agent add":        changes(addAgent),
		"agent list":       reads(listAgents),
		"agent remove":     changes(removeAgent),
		"agent screen":     reads(showScreen),
		"agent say":        reads(say),      // the service writes to its journal; without one nothing can be said
		"agent record":     reads(tapeCall), // as above
		"recording list":   reads(listRecordings),
		"recording export": changes(exportRecording),
		"trunk list":       reads(listTrunks),
		"trunk test":       changes(testTrunk),
		"live":             reads(showLive).withoutState(),
		"doctor":           reads(examine).underAnyRules().withoutState(),
	}
}

// reads makes an operation that changes nothing.
func reads[A, R any](do func(context.Context, *house, A, request) (R, error)) operation {
	return operation{reads: true, do: withArgs(do)}
}

// changes makes an operation that changes state and writes to the journal.
func changes[A, R any](do func(context.Context, *house, A, request) (R, error)) operation {
	return operation{do: withArgs(do)}
}

// underAnyRules lets the operation run where other ones are refused because of
// the rules.
func (o operation) underAnyRules() operation {
	o.anyRules = true
	return o
}

// withoutState lets a service that waits for its state answer the operation.
func (o operation) withoutState() operation {
	o.stateless = true
	return o
}

// withArgs reads the arguments of an operation.
func withArgs[A, R any](do func(context.Context, *house, A, request) (R, error)) func(context.Context, *house, request) (any, error) {
	return func(ctx context.Context, h *house, r request) (any, error) {
		var args A
		dec := json.NewDecoder(bytes.NewReader(r.args))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&args); err != nil {
			return nil, fmt.Errorf("arguments: %w", err)
		}
		return do(ctx, h, args, r)
	}
}

// patience is how long a command waits for a data folder that another one has.
const patience = 10 * time.Second

// ask runs an operation and returns its answer, wherever the house is.
func ask[R any](ctx context.Context, g *globals, name string, args any, body io.Reader) (R, error) {
	var answer R
	err := reach(ctx, g, name, args, body, func(result any) error {
		answer = result.(R)
		return nil
	}, func(text io.Reader) error {
		return json.NewDecoder(text).Decode(&answer)
	})
	return answer, err
}

// askStream runs an operation whose answer is written straight to w.
func askStream(ctx context.Context, g *globals, name string, args any, w io.Writer) error {
	return reach(ctx, g, name, args, nil, func(result any) error {
		_, err := result.(io.WriterTo).WriteTo(w)
		return err
	}, func(text io.Reader) error {
		_, err := io.Copy(w, text)
		return err
	})
}

// reach takes the data folder and runs the operation here, or sends it to the
// service that has the folder. Another short command is waited for.
func reach(ctx context.Context, g *globals, name string, args any, body io.Reader, here func(any) error, there func(io.Reader) error) error {
	r, err := newRequest(args, body)
	if err != nil {
		return err
	}
	r.sign(g.by)
	conf, err := g.settings()
	if err != nil {
		return err
	}
	op := operations()[name]
	limit := time.Now().Add(patience)
	for {
		h, err := openHouse(ctx, g.data, houseOptions{what: name, reading: op.reads, config: conf, anyRules: op.anyRules})
		if err == nil {
			return inHouse(ctx, h, op, r, here)
		}
		var locked *store.LockedError
		if !errors.As(err, &locked) {
			return err
		}
		sent, err := send(ctx, g.data, name, r, there)
		if sent {
			return err
		}
		if time.Now().After(limit) {
			return locked
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// inHouse runs the operation in this process.
func inHouse(ctx context.Context, h *house, op operation, r request, here func(any) error) (err error) {
	defer func() { err = errors.Join(err, h.Close()) }()
	result, err := op.do(ctx, h, r)
	if err != nil {
		return err
	}
	return here(result)
}

// newRequest makes the request of this command.
func newRequest(args any, body io.Reader) (request, error) {
	text, err := json.Marshal(args)
	if err != nil {
		return request{}, fmt.Errorf("arguments: %w", err)
	}
	if body == nil {
		body = bytes.NewReader(nil)
	}
	return request{who: whoami(), args: text, body: body}, nil
}

// sign puts whom --by names before the user of the operating system.
func (r *request) sign(by string) {
	if by != "" {
		r.who = fmt.Sprintf("%s (%s)", by, r.who)
	}
}

// whoami names the user of the operating system.
func whoami() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return fmt.Sprintf("uid %d", os.Getuid())
}
