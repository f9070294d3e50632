package campaigns_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"pronto/campaigns"
)

func ExampleParseNumber() {
	n, err := campaigns.ParseNumber("06/00 12 34 56", "IT")
	fmt.Println(n, err)
	fmt.Println(n.Country(), n.Kind(), n.National(), n.Zones())
	fmt.Println(n.Masked())

	_, err = campaigns.ParseNumber("3561234567;3571234567", "IT")
	fmt.Println(err)
	// Output:
	// +390600123456 <nil>
	// IT fixed 0600123456 [Europe/Rome]
	// +39 *** 3456
	// not a telephone number: holds ';': only digits, a leading + and separators may stand there
}

func ExampleParse() {
	file := `campaign: autumn
seler: Aurora Arredi S.r.l.
jurisdiction: it
caller_ids: ["+390844000123"]
pacing: {mode: predictive, cap: 3}
ring_timeout: 22
`
	_, err := campaigns.Parse("autumn.yaml", []byte(file))
	fmt.Println(err)
	// Output:
	// autumn.yaml:2:1: seler: is not a key: did you mean seller?
	// autumn.yaml:5:33: pacing.cap: "3" must lie between 0 and 1: it is a share: write 0.03 for 3%
	// autumn.yaml:6:15: ring_timeout: "22" is not a duration: give the unit, as in 22s
}

func ExampleCampaign_Normal() {
	c, err := campaigns.Parse("short.yaml", []byte(`
campaign: short
seller: Aurora
jurisdiction: it
caller_ids: +390844000123
hours: {mon-tue: "9:00-13:00"}
retry: {busy: {max: 1}}
`))
	if err != nil {
		fmt.Println(err)
		return
	}
	os.Stdout.Write(c.Normal())
	// Output:
	// campaign: short
	// seller: 'Aurora'
	// purpose: marketing
	// jurisdiction: it
	// caller_ids: ['+390844000123']
	// weight: 1
	// hours:
	//   mon: ['09:00-13:00']
	//   tue: ['09:00-13:00']
	// pacing:
	//   mode: predictive
	// ring_timeout: 22s
	// wrap_up: 0s
	// retry:
	//   no_answer: {delay: 4h, max: 4}
	//   busy: {delay: 15m, max: 1}
	//   machine: {delay: 6h, max: 3}
	//   congested: {delay: 10m, max: 5}
	//   failed: {delay: 10m, max: 3}
	//   abandoned: {delay: 120h, max: 1}
	//   hung_up: {delay: 24h, max: 1}
	//   interrupted: {delay: 1h, max: 3}
	// max_attempts: 6
	// appointments:
	//   agent_wait: 10m
	//   retry: {delay: 15m, max: 2}
	// callback:
	//   opt_out: '9'
	//   delay: 15m
	// agent_order: idle
	// order: list
}

func ExampleCampaign_After() {
	c := campaigns.Default()
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	lead := campaigns.Lead{Attempts: 1, Tries: 1, LastOutcome: campaigns.HungUp}

	due, done := c.After(lead, campaigns.Busy, now)
	fmt.Println(due.Sub(now), done)
	_, done = c.After(lead, campaigns.HungUp, now)
	fmt.Println("hung up twice, done:", done)
	// Output:
	// 15m0s false
	// hung up twice, done: true
}

func ExampleHours_NextOpen() {
	rome, err := time.LoadLocation("Europe/Rome")
	if err != nil {
		fmt.Println(err)
		return
	}
	office := campaigns.Hours{"sat": {"10:00-13:00"}, "mon": {"09:00-13:00", "14:00-20:00"}}
	saturday := time.Date(2026, 10, 24, 15, 0, 0, 0, rome)
	fmt.Println(office.Open(saturday))
	next, ok := office.NextOpen(saturday) // the clocks change on Sunday
	fmt.Println(next, ok)
	// Output:
	// false
	// 2026-10-26 09:00:00 +0100 CET true
}

func ExampleLoad() {
	list := `telefono;nome;cognome;note
356 1000001;Anna;Rossi;chiamare la sera
600100002;Ugo;Bianchi;
+39 356 100 0001;Lea;Verdi;
`
	opt := campaigns.LoadOptions{Campaign: "autumn", Country: "IT"}
	report, err := campaigns.Load(context.Background(), strings.NewReader(list), opt, &shelf{})
	fmt.Println(report.Read, report.Loaded, report.Duplicate, report.Rejected, err)
	for _, bad := range report.Rejects {
		fmt.Println(bad.Error())
	}
	// Output:
	// 3 1 1 1 <nil>
	// line 3, column 1: telefono: "600100002" is not a telephone number: no such number range in IT
	// line 4, column 1: telefono: "+39 356 100 0001" is the number of line 2
}

func ExampleReadCSV() {
	list := []byte("phone,name,zone,city\n+12025550123,Ada,America/Chicago,Springfield\n")
	for lead, err := range campaigns.ReadCSV(context.Background(), bytes.NewReader(list), campaigns.LoadOptions{}) {
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(lead.Number, lead.Name, lead.Zone, lead.Fields)
	}
	// Output:
	// +12025550123 Ada America/Chicago map[city:Springfield]
}
