package main

import (
	"bytes"
	"fmt"
	"html"
	"slices"
	"strings"
	"testing"
	"text/template"
)

// raceScenario makes sipp's scenario of testdata/peers/races.xml: every block
// under its label, chosen by the last two digits of the called number.
func raceScenario(t testing.TB) string {
	t.Helper()
	var m messages
	block := m.blocks(t, "races.xml")
	var body, choice, calls strings.Builder
	for i, r := range races {
		number := raceNumber(i)
		variable := m.variable(fmt.Sprintf("race%d", i))
		fmt.Fprintf(&choice, `<ereg regexp="%s@" search_in="hdr" header="To:" assign_to="%s"/>`, number[len(number)-2:], variable)
		fmt.Fprintf(&calls, "<nop hide=\"true\" test=\"%s\" next=\"%[1]s\"/>\n", variable)
		fmt.Fprintf(&body, "<label id=\"%s\"/>\n%s<nop hide=\"true\" next=\"over\"/>\n", variable, block(r.name))
	}
	return m.scenario(m.invite(choice.String()) + calls.String() + body.String())
}

// phoneScenario makes sipp's scenario of a block of testdata/peers/phones.xml.
func phoneScenario(t testing.TB, name string) string {
	t.Helper()
	var m messages
	return m.scenario(m.invite("") + m.blocks(t, "phones.xml")(name))
}

// blocks reads a file of blocks and gives them by name.
func (m *messages) blocks(t testing.TB, file string) func(name string) string {
	t.Helper()
	all, err := template.New(file).Funcs(m.funcs()).ParseFiles("testdata/peers/" + file)
	if err != nil {
		t.Fatal(err)
	}
	return func(name string) string {
		var block bytes.Buffer
		if err := all.ExecuteTemplate(&block, name, nil); err != nil {
			t.Fatal(err)
		}
		return block.String()
	}
}

// scenario is the whole file.
func (m *messages) scenario(steps string) string {
	return "<?xml version=\"1.0\"?>\n<!DOCTYPE scenario SYSTEM \"sipp.dtd\">\n<scenario name=\"script\">\n" + steps +
		"<label id=\"over\"/>\n<timewait milliseconds=\"200\"/>\n<Reference variables=\"" + strings.Join(m.variables, ",") + "\"/>\n</scenario>\n"
}

// messages writes the steps of a scenario.
type messages struct{ variables []string }

// option is a part of a message that is not in every one.
type option struct{ kind, name, value string }

func (m *messages) funcs() template.FuncMap {
	const dialogTag = "[pid]c[call_number]"
	return template.FuncMap{
		"sdp":    func() option { return option{"body", "", description("[local_ip]", "sendrecv")} },
		"audio":  func(address, direction string) option { return option{"body", "", description(address, direction)} },
		"head":   func(lines ...string) option { return option{"head", "", strings.Join(lines, "\n")} },
		"tag":    func(t string) option { return option{"tag", "", t} },
		"want":   func(where, what string) option { return option{"want", where, what} },
		"keep":   func(name string) option { return option{"keep", name, ""} },
		"twelve": func() []int { return make([]int, 12) },
		"speak":  func() string { return `<nop hide="true"><action><exec rtp_stream="speech.al,-1,8"/></action></nop>` },
		"rest":   m.rest,
		"pause":  func(ms int) string { return fmt.Sprintf("<pause milliseconds=\"%d\"/>\n", ms) },
		"again":  func(os ...option) string { return m.invite(m.actions(os)) },
		"say": func(status string, os ...option) string {
			return m.response(status, "Via:[$via]\nFrom: [$from]\nTo: [$to];tag="+valueOf(os, "tag", dialogTag)+"\nCall-ID: [call_id]\nCSeq:[$cseq]", os)
		},
		"answer": func(status string, os ...option) string {
			return m.response(status, "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]", os)
		},
		"answerTo": func(name, status string, os ...option) string {
			return m.response(status, fmt.Sprintf("Via:[$%[1]sVia]\nFrom:[$%[1]sFrom]\nTo:[$%[1]sTo]\nCall-ID: [call_id]\nCSeq:[$%[1]sCSeq]", name), os)
		},
		"ask": func(method string, cseq int, os ...option) string {
			return m.request(method, cseq, "[branch]", valueOf(os, "tag", dialogTag), os)
		},
		"ack":   func(cseq int, os ...option) string { return m.request("ACK", cseq, "[branch]", dialogTag, os) },
		"ackOf": func(cseq int) string { return m.request("ACK", cseq, "[branch-3]", dialogTag, nil) }, // past the two that expect wants
		"leave": func() string {
			return m.request("BYE", 90, "[branch]", dialogTag, []option{{"head", "", `Reason: Q.850;cause=16;text="Normal call clearing"`}}) + m.expect(200, nil)
		},
		"recv": func(method string, os ...option) string {
			return fmt.Sprintf("<recv request=\"%s\"><action>%s</action></recv>\n", method, m.actions(os))
		},
		"expect": func(status int, os ...option) string { return m.expect(status, os) },
	}
}

// rest answers what a phone is asked until the BYE.
func (m *messages) rest() string {
	ok := m.response("200 OK", "[last_Via:]\n[last_From:]\n[last_To:]\n[last_Call-ID:]\n[last_CSeq:]", nil)
	return `<label id="rest"/><recv request="OPTIONS" optional="true" next="asked"/><recv request="BYE" next="left"/>` +
		`<label id="asked"/>` + strings.Replace(ok, "<send", `<send next="rest"`, 1) + `<label id="left"/>` + ok
}

// description is an SDP.
func description(address, direction string) string {
	return "v=0\no=carrier 1 1 IN IP4 " + address + "\ns=-\nc=IN IP4 " + address + "\nt=0 0\nm=audio [rtpstream_audio_port] RTP/AVP 8\na=rtpmap:8 PCMA/8000\na=" + direction
}

// valueOf is what an option of the kind says.
func valueOf(os []option, kind, otherwise string) string {
	if i := slices.IndexFunc(os, func(o option) bool { return o.kind == kind }); i >= 0 {
		return os[i].value
	}
	return otherwise
}

func (m *messages) variable(name string) string {
	if !slices.Contains(m.variables, name) {
		m.variables = append(m.variables, name)
	}
	return name
}

// grab keeps what matches in a header.
func (m *messages) grab(regexp, header, variable string) string {
	return fmt.Sprintf(`<ereg regexp="%s" search_in="hdr" header="%s" assign_to="%s"/>`, html.EscapeString(regexp), header, m.variable(variable))
}

// invite takes an INVITE, and what its responses and requests in the dialog need of it.
func (m *messages) invite(more string) string {
	return "<recv request=\"INVITE\" rrs=\"true\"><action>" + m.grab(".*", "Via:", "via") + m.grab("<.*", "From:", "from") + m.grab("<.*", "To:", "to") +
		m.grab(".*", "CSeq:", "cseq") + m.grab("sip:[^>]*", "Contact:", "contact") + more + "</action></recv>\n"
}

// actions keep or check parts of a message that was received.
func (m *messages) actions(os []option) string {
	var b strings.Builder
	for _, o := range os {
		switch o.kind {
		case "keep":
			for _, h := range []string{"Via", "From", "To", "CSeq"} {
				b.WriteString(m.grab(".*", h+":", o.name+h))
			}
		case "want":
			where := fmt.Sprintf(`search_in="hdr" header="%s"`, o.name)
			what := o.value
			if strings.HasSuffix(o.name, "=") {
				where, what = `search_in="body"`, o.name+o.value
			}
			fmt.Fprintf(&b, `<ereg regexp="%s" %s check_it="true" assign_to="%s"/>`, html.EscapeString(what), where, m.variable("got"))
		}
	}
	return b.String()
}

func (m *messages) expect(status int, os []option) string {
	return fmt.Sprintf("<recv response=\"100\" optional=\"true\"/>\n<recv response=\"%d\"><action>%s</action></recv>\n", status, m.actions(os))
}

func (m *messages) response(status, headers string, os []option) string {
	headers = "SIP/2.0 " + status + "\n" + headers
	if !strings.Contains(valueOf(os, "head", ""), "Contact:") {
		headers += "\nContact: <sip:carrier@[local_ip]:[local_port]>"
	}
	return message("", headers, os)
}

func (m *messages) request(method string, cseq int, branch, tag string, os []option) string {
	retransmitted := ` retrans="500"`
	if method == "ACK" {
		retransmitted = ""
	}
	return message(retransmitted, fmt.Sprintf("%s [$contact] SIP/2.0\nVia: SIP/2.0/UDP [local_ip]:[local_port];branch=%s\nMax-Forwards: 70\nFrom: [$to];tag=%s\nTo: [$from]\nCall-ID: [call_id]\nCSeq: %d %[1]s\nContact: <sip:carrier@[local_ip]:[local_port]>",
		method, branch, tag, cseq), os)
}

// message sends one with its headers, further ones and a body.
func message(attributes, headers string, os []option) string {
	if more := valueOf(os, "head", ""); more != "" {
		headers += "\n" + more
	}
	if body := valueOf(os, "body", ""); body != "" {
		headers += "\nContent-Type: application/sdp\nContent-Length: [len]\n\n" + body + "\n"
	} else {
		headers += "\nContent-Length: 0\n\n"
	}
	return "<send" + attributes + "><![CDATA[\n" + headers + "\n]]></send>\n"
}
