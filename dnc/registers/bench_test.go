package registers

import (
	"bytes"
	"context"
	"strconv"
	"testing"
)

// BenchmarkRead measures the reading of register files of a million rows.
func BenchmarkRead(b *testing.B) {
	const rows = 1_000_000
	var result, list bytes.Buffer
	for i := range rows {
		result.WriteString("347" + strconv.Itoa(1_000_000+i) + "," + strconv.Itoa(i%8/7) + ",2026-11-20\r\n")
		list.WriteString("212," + strconv.Itoa(2_000_000+i) + "\n")
	}
	for _, file := range []struct {
		name string
		data []byte
		read func(*Source) error
	}{
		{"verdicts", result.Bytes(), func(s *Source) error {
			_, err := ReadVerdicts(context.Background(), s, rpo(b), options(b))
			return err
		}},
		{"list", list.Bytes(), func(s *Source) error {
			_, err := ReadList(context.Background(), s, profile(b, "us-dnc"), listOptions(b, "i"))
			return err
		}},
	} {
		b.Run(file.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				src, err := NewSource(file.name, bytes.NewReader(file.data), int64(len(file.data)))
				if err != nil {
					b.Fatal(err)
				}
				if err := file.read(src); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds()/1e6, "M-rows/s")
		})
	}
}
