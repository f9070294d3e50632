// Package campaigns knows whom to call and when to call again.
//
// A Campaign is read from its YAML file by Parse, which reports everything that
// is wrong at once, each thing with its place and its mend. A list of leads is
// read row by row by ReadCSV; Load puts it into a LeadSink whole or not at all,
// and says of each row that was left out why. A Number is E.164 and knows its
// country, kind, national form and time zones.
//
// While a campaign runs, its Queue keeps a small stock of leads that are due,
// leased from the LeadStore by Run in one goroutine and handed out by Take in
// another, which never waits:
//
//	for _, lead := range queue.Take(n) {
//		// dial it, or give it back: queue.Return(lead), queue.Release(due, lead)
//	}
//
// After an attempt, Campaign.After says whether the lead is done and, if not,
// when it is due again.
//
// Everything but Queue.Run is pure or runs in its caller: time is an argument,
// nothing is logged. The package imports nothing of Pronto's; LeadStore and
// LeadSink are implemented by dialer/store.
package campaigns
