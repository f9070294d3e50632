package campaigns_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"pronto/campaigns"
)

// town is a place for fictional leads. Its fixed numbers begin with the area
// code and 00, with which no Italian subscriber's number begins.
type town struct{ name, region, area string }

func towns() []town {
	return []town{
		{"Milano", "Lombardia", "02"},
		{"Roma", "Lazio", "06"},
		{"Genova", "Liguria", "010"},
		{"Torino", "Piemonte", "011"},
		{"Venezia", "Veneto", "041"},
		{"Verona", "Veneto", "045"},
		{"Bologna", "Emilia-Romagna", "051"},
		{"Firenze", "Toscana", "055"},
		{"Perugia", "Umbria", "075"},
		{"Bari", "Puglia", "080"},
		{"Napoli", "Campania", "081"},
		{"Palermo", "Sicilia", "091"},
	}
}

// demoList writes n fictional Italian leads, the same ones each time. Italy
// keeps no range of numbers for fiction: the mobile ones are taken from
// prefixes for which libphonenumber knows no operator.
func demoList(n int) []byte {
	first := strings.Fields("Ada Aldo Anna Bianca Bruno Carla Carlo Chiara Dario Elena Elio Emma Enzo Fabio Franca Gino Giulia Ida Ivo Laura Lea Lino " +
		"Luca Lucia Marco Maria Mario Marta Mauro Mina Nadia Nino Olga Paola Paolo Piero Rita Rosa Sara Silvia Silvio Tina Ugo Vera Vito")
	last := strings.Fields("Abate Amato Barbieri Basile Benedetti Bianchi Bruno Caruso Cattaneo Colombo Conti Costa Esposito Fabbri Farina Ferrara Ferrari " +
		"Fontana Galli Gallo Gatti Giordano Greco Leone Lombardi Longo Mancini Marchetti Mariani Marini Martinelli Monti Moretti Neri Orlando Palmieri " +
		"Parisi Pellegrini Ricci Rinaldi Riva Rizzo Romano Rossi Russo Sala Sartori Serra Silvestri Testa Valentini Villa Vitale")
	prefixes := []string{"356", "357", "358", "359", "372", "374", "376"}
	source := rand.NewPCG(2026, 26)
	pick := func(n int) int { return int(source.Uint64() % uint64(n)) }

	var out bytes.Buffer
	out.WriteString("id,phone,name,city,region\n")
	seen := make(map[string]bool)
	for i := 1; i <= n; i++ {
		home := towns()[pick(len(towns()))]
		phone := ""
		for phone == "" || seen[phone] {
			if pick(100) < 15 {
				digits := 8 - len(home.area)
				phone = fmt.Sprintf("+39%s00%0*d", home.area, digits, pick(pow10(digits)))
			} else {
				phone = fmt.Sprintf("+39%s%07d", prefixes[pick(len(prefixes))], pick(10_000_000))
			}
		}
		seen[phone] = true
		fmt.Fprintf(&out, "D%05d,%s,%s %s,%s,%s\n", i, phone, first[pick(len(first))], last[pick(len(last))], home.name, home.region)
	}
	return out.Bytes()
}

func pow10(n int) int {
	p := 1
	for range n {
		p *= 10
	}
	return p
}

func TestDemoList(t *testing.T) {
	const file = "../testdata/lists/demo-it.csv"
	golden(t, file, demoList(3000))
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kinds := make(map[campaigns.Kind]int)
	total := 0
	for lead, err := range campaigns.ReadCSV(t.Context(), bytes.NewReader(data), campaigns.LoadOptions{Country: "IT"}) {
		if err != nil {
			t.Fatal(err)
		}
		total++
		kinds[lead.Number.Kind()]++
		if lead.Number.Country() != "IT" || lead.Name == "" || lead.External == "" || lead.Region == "" || lead.Fields["city"] == "" {
			t.Fatalf("lead %+v", lead)
		}
		p, err := phonenumbers.Parse(string(lead.Number), "")
		if err != nil {
			t.Fatal(err)
		}
		if carrier, err := phonenumbers.GetCarrierForNumber(p, "en"); err != nil || carrier != "" {
			t.Fatalf("%s belongs to %q, %v", lead.Number, carrier, err)
		}
	}
	if total != 3000 || kinds[campaigns.Mobile]+kinds[campaigns.Fixed] != total || kinds[campaigns.Fixed] < 300 || kinds[campaigns.Mobile] < 2000 {
		t.Fatalf("%d leads, %v", total, kinds)
	}
}
