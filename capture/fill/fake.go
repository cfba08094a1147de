package fill

import (
	"fmt"
	"strings"
)

var (
	firsts = strings.Fields(`Ada Amara Anselm Bao Carmen Dag Elif Farah Gustav Hana Ines Jonas Kofi Leila Mateo Nadia
		Oskar Priya Quentin Rosa Sven Tomoko Uma Viktor Wanda Ximena Yusuf Zoe Jürgen Łukasz`)
	lasts = strings.Fields(`Abel Bergstrom Castillo Demir Eriksen Fontaine Gupta Hoffmann Ivanova Jensen Kimura Larsen
		Mensah Novak Okafor Petrova Quist Rossi Santos Tanaka Ueda Varga Weber Xu Yilmaz Zimmer Müller O'Brien`)
	cities     = strings.Fields(`Accra Bergen Bogotá Cork Dakar Erfurt Fukuoka Graz Hanoi Izmir Jaipur Köln Lima Malmö Nairobi Oslo Porto Quito Riga Split Tartu Utrecht Valencia Wellington York Zagreb`)
	countries  = strings.Fields(`AT BR CA CO DE DK EE ES FR GB GH HR IE IN IT JP KE LV NL NO NZ PE PL PT SE SN TR US VN`)
	currencies = strings.Fields(`AUD BRL CAD CHF CZK DKK EUR GBP INR JPY MXN NOK NZD PLN SEK TRY USD ZAR`)
	nouns      = strings.Fields(`anchor basket candle dolphin engine feather garden harbour island jacket kettle lantern
		meadow needle orchard pebble quilt ribbon saddle timber umbrella valley window yarn zephyr`)
	verbs   = strings.Fields(`carries finds follows keeps lifts meets passes paints remembers turns`)
	domains = []string{"example.com", "example.net", "example.org"}
	blocks  = []string{"192.0.2", "198.51.100", "203.0.113"}
	firms   = []string{"Example Ltd", "Example Inc", "Example GmbH", "Example & Co"}
)

func (f *filling) one(of []string) string { return of[f.Rand.IntN(len(of))] }

// ascii takes the accents off names, for addresses.
var ascii = strings.NewReplacer("ü", "u", "Ł", "l", "'", "")

func email(f *filling) string {
	return strings.ToLower(ascii.Replace(f.one(firsts)+"."+f.one(lasts))) + "@" + f.one(domains)
}

func phone(f *filling) string {
	return fmt.Sprintf("+1-%s-555-01%02d", f.one([]string{"202", "303", "404", "505", "606"}), f.Rand.IntN(100))
}

func company(f *filling) string { return title(f.one(nouns)) + " " + f.one(firms) }

func sentence(f *filling) string {
	return fmt.Sprintf("The %s %s the %s.", f.one(nouns), f.one(verbs), f.one(nouns))
}

func ip(f *filling) string { return fmt.Sprintf("%s.%d", f.one(blocks), 1+f.Rand.IntN(254)) }

func title(s string) string { return strings.ToUpper(s[:1]) + s[1:] }
