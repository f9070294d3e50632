package pacing

import "math"

// The standard library's exponential and logarithm are assembly on some machines, and a compiler may fuse a product and a sum. Both would
// let two machines decide differently. Here every product is converted to float64 before it is added, which forbids fusing.

const (
	ln2Hi = 6.93147180369123816490e-01
	ln2Lo = 1.90821492927058770002e-10
)

// exp returns e to the power of x, to about 1e-15.
//
// x = n ln 2 + r with |r| <= ln 2 / 2, and e^r is its Taylor polynomial of degree 13, whose rest is below r^14/14! < 5e-18.
func exp(x float64) float64 {
	switch {
	case x > 709:
		x = 709
	case x < -708:
		return 0
	case x != x:
		return 0
	}
	n := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(n*ln2Hi)
	r -= float64(n * ln2Lo)
	p := 1.0
	for i := 13; i >= 1; i-- {
		p = 1 + float64(p*r)/float64(i)
	}
	return math.Ldexp(p, int(n))
}

// log returns the natural logarithm of x, to about 1e-15; x must be positive.
//
// x = m 2^n with m in [√½, √2), and ln m = 2 artanh s = 2 (s + s³/3 + s⁵/5 + ...) with s = (m-1)/(m+1), |s| < 0.172.
func log(x float64) float64 {
	m, n := math.Frexp(x)
	if m < math.Sqrt2/2 {
		m, n = m*2, n-1
	}
	s := (m - 1) / (m + 1)
	s2 := float64(s * s)
	p := 0.0
	for i := 19; i >= 1; i -= 2 {
		p = 1/float64(i) + float64(p*s2)
	}
	return float64(2*float64(s*p)) + float64(float64(n)*math.Ln2)
}

const (
	normalReach = 6.0
	normalSteps = 128 // per unit
	normalSize  = 2*int(normalReach)*normalSteps + 1
)

// normalTable holds Φ at steps of 1/128 from -6 to 6; linear between them it is right to 2e-6.
var normalTable = makeNormalTable()

// makeNormalTable integrates the normal density by Simpson's rule from -6 on, and makes both tails alike.
func makeNormalTable() (t [normalSize]float64) {
	density := func(x float64) float64 { return float64(exp(-float64(x*x)/2) * 0.3989422804014327) }
	const h = 1.0 / normalSteps
	sum := 9.865876450377018e-10 // Φ(-6)
	t[0] = sum
	for i := 1; i <= normalSize/2; i++ {
		x := -normalReach + float64(float64(i)*h)
		sum += float64((density(x-h) + float64(4*density(x-h/2)) + density(x)) * (h / 6))
		t[i] = sum
	}
	for i := range normalSize / 2 {
		t[normalSize-1-i] = 1 - t[i]
	}
	t[normalSize/2] = 0.5
	return t
}

// normal returns Φ(x), the probability that a standard normal variable is at most x; it never decreases in x.
func normal(x float64) float64 {
	u := float64((x + normalReach) * normalSteps)
	if !(u > 0) {
		return 0
	}
	if u >= float64(normalSize-1) {
		return 1
	}
	i := int(u)
	return normalTable[i] + float64((u-float64(i))*(normalTable[i+1]-normalTable[i]))
}

func clamp(x, low, high float64) float64 { return min(max(x, low), high) }
