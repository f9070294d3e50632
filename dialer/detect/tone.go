package detect

import "math"

// tone is the strongest single tone of a frame.
type tone struct {
	hz     float64
	purity float64 // its share of the frame's power, 0 to 1
}

// measure finds a frame's tone. A sine obeys x[n] + x[n-2] = 2 cos(w) x[n-1]: the least squares of that give w, and
// one bin of a Fourier transform at w gives its share of the power. Only where a single tone is nearly everything
// is the answer exact; that is all it is asked for.
func measure(x []int16, level float64) tone {
	if level < faintestTone {
		return tone{}
	}
	var num, den float64
	for n := 2; n < len(x); n++ {
		a, b, c := float64(x[n-2]), float64(x[n-1]), float64(x[n])
		num += b * (a + c)
		den += b * b
	}
	if den == 0 {
		return tone{}
	}
	half := num / (2 * den) // cos w
	if half <= -1 || half >= 1 {
		return tone{}
	}
	w := math.Acos(half)
	return tone{hz: w * Rate / (2 * math.Pi), purity: share(x, 2*half)}
}

// share is the part of a frame's power in the tone for which coefficient is 2 cos w (Goertzel's algorithm).
func share(x []int16, coefficient float64) float64 {
	var s1, s2, power float64
	for _, v := range x {
		f := float64(v)
		power += f * f
		s1, s2 = f+coefficient*s1-s2, s1
	}
	if power == 0 {
		return 0
	}
	bin := s1*s1 + s2*s2 - coefficient*s1*s2
	return 2 * bin / (power * float64(len(x)))
}
