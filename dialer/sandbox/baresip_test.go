package sandbox

import (
	"bytes"
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pronto/dialer/sandbox/tones"
	"pronto/dialer/sandbox/truth"
)

// wav writes seconds of the voice as 16-bit samples at 8 kHz.
func wav(t *testing.T, file string, v tones.Voice, seconds int) {
	t.Helper()
	var pcm []byte
	for _, b := range v.Frame(tones.PCMA) {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(tones.PCMA.Decode(b)))
	}
	pcm = bytes.Repeat(pcm, 50*seconds)
	le := binary.LittleEndian
	b := le.AppendUint32([]byte("RIFF"), uint32(36+len(pcm)))
	b = le.AppendUint32(append(b, "WAVEfmt "...), 16)
	b = le.AppendUint16(le.AppendUint16(b, 1), 1)
	b = le.AppendUint32(le.AppendUint32(b, 8000), 16000)
	b = le.AppendUint16(le.AppendUint16(b, 2), 16)
	b = le.AppendUint32(append(b, "data"...), uint32(len(pcm)))
	if err := os.WriteFile(file, append(b, pcm...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// recorded counts the 20 ms frames of a recording in which exactly the voice is
// heard, and all that are not silent.
func recorded(t *testing.T, file string, v tones.Voice) (of, all int) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	ear, frame := tones.NewEar(), make([]byte, tones.FrameSamples)
	for b = b[44:]; len(b) >= 2*len(frame); b = b[2*len(frame):] {
		for i := range frame {
			frame[i] = tones.PCMA.Encode(int16(binary.LittleEndian.Uint16(b[2*i:])))
		}
		h := ear.Listen(tones.PCMA, frame)
		if !h.Silent {
			all++
		}
		if slices.Equal(h.Voices, []tones.Voice{v}) {
			of++
		}
	}
	return of, all
}

// baresip as the dialer: its recording holds the callee's voice, the carrier's
// log the voice that baresip plays.
func TestCalleeTalksWithBaresip(t *testing.T) {
	t.Parallel()
	w := Compressed(9, 0.5)
	n := number(t, w, func(b Behaviour) bool {
		return b.Plan == Live && b.Ring < time.Second && b.Talk > 3*time.Second && b.Talk < 4*time.Second
	})
	addr, stop := startCarrier(t, CarrierConfig{Listen: "127.40.10.1:0", World: w, Linger: 300 * time.Millisecond})
	dir := t.TempDir()
	voice := tones.Voice{Side: tones.Agent, Index: 12}
	wav(t, filepath.Join(dir, "voice.wav"), voice, 20)
	for name, text := range map[string]string{
		"accounts": "<sip:dialer@127.40.10.2>;regint=0;audio_codecs=pcma\n",
		"config": "module_path /usr/lib/baresip/modules\nmodule g711.so\nmodule aufile.so\nmodule sndfile.so\nmodule_tmp account.so\nmodule_app menu.so\n" +
			"audio_source aufile," + dir + "/voice.wav\naudio_player aufile," + dir + "/out.wav\naudio_alert aufile,/dev/null\nsnd_path " + dir +
			"\nnet_interface 127.40.10.2\nsip_listen 127.40.10.2:5060\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// -t: baresip ends by itself after so many seconds, well after the callee hung up.
	cmd := exec.Command("baresip", "-f", dir, "-t", "9", "-e", "/dial sip:"+n+"@"+addr.String())
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("baresip: %v\n%s", err, out)
	}
	lines := stop()
	if bye := only(t, lines, truth.Bye); bye.By != truth.ByCallee || bye.Text != "said good-bye" {
		t.Errorf("bye: %+v", bye)
	}
	if _, total := heardAll(t, lines, voice); total < 2*time.Second {
		t.Errorf("heard baresip for %s", total)
	}
	files, err := filepath.Glob(filepath.Join(dir, "dump-*-dec.wav"))
	if err != nil || len(files) != 1 {
		t.Fatalf("recordings %v, %v\n%s", files, err, strings.ToValidUTF8(string(out), "?"))
	}
	callee := tones.Voice{Side: tones.Callee, Index: 0}
	if of, all := recorded(t, files[0], callee); of < 100 || of < all*9/10 {
		t.Errorf("the callee's voice is in %d of %d frames of baresip's recording", of, all)
	}
}
