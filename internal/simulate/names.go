package simulate

import (
	"fmt"
	"strings"
)

// domain is what a team is about, with the services it would have.
type domain struct {
	name     string
	services []thing
}

type thing struct{ name, description string }

// domains name the first teams; the eight first make the demo. The place in the list,
// modulo eight, also decides what is peculiar about a team, see newTeam.
func domains() []domain {
	return []domain{
		{"payments", []thing{
			{"payment-gateway", "Takes card and bank payments and talks to the acquirers."},
			{"ledger", "Double-entry book of every movement of money."},
			{"card-vault", "Keeps card numbers as tokens, apart from everything else."},
			{"payout-scheduler", "Pays merchants on their agreed days."},
			{"refunds", "Returns money, in part or whole, on the way it came."},
			{"fraud-scoring", "Scores each payment before it is taken."}}},
		{"platform", []thing{
			{"api-gateway", "The front door: routing, limits and authentication of every request."},
			{"postgres-fleet", "Managed relational databases of all teams."},
			{"kafka-core", "The shared event log."},
			{"build-pipeline", "Builds, tests and ships every service."},
			{"service-mesh", "Encrypted traffic between services."},
			{"secrets-store", "Holds and rotates credentials."}}},
		{"search", []thing{
			{"search-api", "Answers search requests of shop and apps."},
			{"search-indexer", "Turns catalogue changes into index updates."},
			{"autocomplete", "Suggests while people type."},
			{"ranking-model", "Orders results by a learned model."},
			{"synonyms", "Keeps the lists of equivalent words per language."}}},
		{"identity", []thing{
			{"login", "Signs people in, with a second factor where wanted."},
			{"session-store", "Remembers who is signed in."},
			{"permissions", "Answers whether somebody may do something."},
			{"profile-api", "Names, addresses and preferences of customers."},
			{"device-trust", "Recognises known devices."}}},
		{"checkout", []thing{
			{"cart", "Holds what somebody intends to buy."},
			{"checkout-api", "Leads from the cart to the placed order."},
			{"tax-calculator", "Works out taxes by place and kind of goods."},
			{"promotions", "Applies vouchers and campaigns."},
			{"order-service", "The record of every order and its state."}}},
		{"logistics", []thing{
			{"shipping-quotes", "Compares carriers and quotes prices and days."},
			{"warehouse-sync", "Exchanges stock and picks with the warehouses."},
			{"tracking", "Shows where a parcel is."},
			{"returns-portal", "Takes goods back and prints the labels."},
			{"label-printer", "Makes carrier labels, also for old printers."}}},
		{"insights", []thing{
			{"events-collector", "Collects usage events of shop and apps."},
			{"nightly-reports", "Computes the reports that finance reads in the morning."},
			{"experiment-engine", "Assigns visitors to experiments and counts."},
			{"metrics-warehouse", "Aggregated figures for every dashboard."},
			{"forecasting", "Predicts demand by article and week."}}},
		{"messaging", []thing{
			{"mail-sender", "Sends transactional mail."},
			{"push-notifier", "Notifications to phones and browsers."},
			{"template-service", "Holds the texts of all messages in all languages."},
			{"sms-gateway", "Sends text messages over several carriers."},
			{"preference-center", "What people want to be told, and how."}}},
		{"catalog", []thing{
			{"article-api", "Articles, variants and their attributes."},
			{"image-resizer", "Serves article pictures in every size."},
			{"stock-levels", "How many of what are where."}}},
		{"pricing", []thing{
			{"price-engine", "Current price of each article for each market."},
			{"currency-rates", "Exchange rates, refreshed every hour."}}},
		{"mobile", []thing{
			{"app-backend", "The interface of the phone apps."},
			{"deep-links", "Leads links into the right screen."}}},
		{"storefront", []thing{
			{"web-renderer", "Renders the shop's pages."},
			{"content-cache", "Caches pages close to visitors."}}},
		{"recommendations", []thing{
			{"recommender", "Suggests articles that go together."},
			{"feature-store", "Inputs of all models, computed once."}}},
		{"billing", []thing{
			{"invoicing", "Writes and archives invoices."},
			{"subscriptions", "Recurring contracts and their renewals."}}},
		{"support-tools", []thing{
			{"ticket-desk", "Where customer care works."},
			{"call-routing", "Brings callers to somebody who can help."}}},
		{"observability", []thing{
			{"metrics-store", "Keeps time series of all services."},
			{"log-pipeline", "Collects, filters and stores logs."}}},
		{"partners", nil}, {"marketplace", nil}, {"media", nil}, {"maps", nil}, {"risk", nil}, {"compliance", nil},
		{"growth", nil}, {"loyalty", nil}, {"procurement", nil}, {"inventory", nil}, {"networking", nil},
		{"storage", nil}, {"edge", nil}, {"data-platform", nil}, {"onboarding", nil}, {"scheduling", nil},
	}
}

// components complete a domain that has more services than its list names.
func components() []thing {
	return []thing{
		{"backend", "The interface of %s for other teams."}, {"worker", "Background jobs of %s."},
		{"sync", "Exchanges data of %s with partners."}, {"cache", "Keeps hot data of %s close."},
		{"admin", "Back office pages of %s."}, {"stream", "Turns changes of %s into events."},
		{"store", "The database of %s."}, {"exporter", "Hands data of %s to the warehouse."},
		{"gateway", "The way into %s from outside."}, {"scheduler", "Starts the timed jobs of %s."},
	}
}

// regions make further teams out of the domains once those are used up.
func regions() []string { return []string{"emea", "americas", "apac", "core", "labs", "tools"} }

// teamName names team i; no two are the same.
func teamName(all []domain, i int) string {
	name := all[i%len(all)].name
	round := i / len(all)
	if round == 0 {
		return name
	}
	r := regions()
	name += "-" + r[(round-1)%len(r)]
	if round > len(r) {
		name = fmt.Sprintf("%s-%d", name, (round-1)/len(r)+1)
	}
	return name
}

// serviceName names the n-th service of team i; no two are the same, because each is
// either from that domain's own list or begins with the team's name.
func serviceName(all []domain, i, n int) thing {
	if own := all[i%len(all)].services; i < len(all) && n < len(own) {
		return own[n]
	} else if i < len(all) {
		n -= len(own)
	}
	team, c := teamName(all, i), components()
	t := c[n%len(c)]
	name := team + "-" + t.name
	if n >= len(c) {
		name = fmt.Sprintf("%s-%d", name, n/len(c)+1)
	}
	return thing{name, fmt.Sprintf(t.description, strings.ReplaceAll(team, "-", " "))}
}

func givenNames() []string {
	return strings.Fields(`Ana Tomáš Mei Kwame Ingrid Rahul Sofia Yusuf Chloé Mateo Amina Lars Priya Olu Hana Diego Zoë
		Nikhil Elif Søren Camila Tariq Freya Jin Lucía Babak Wanjiru Marek Aiko Noah Fatima Pavel Leila Thabo Emma Arjun
		Ximena Oskar Thandi Luca Nadia Kenji Maya Viktor Imani Rosa Sanjay Aoife Bilal Petra Chidi Julia Minh Alva Rafael
		Dilnoza Joost Katarína Samir Ruth Hiro Beatriz Ola Siobhán Farid Marta Dev Lina Emeka Tove`)
}

func familyNames() []string {
	return strings.Fields(`Silva Novák Chen Mensah Larsen Sharma Rossi Demir Dubois García Diallo Nilsson Iyer Adeyemi
		Sato Fernández Visser Patel Yılmaz Jensen Rojas Haddad Berg Park Moreno Karimi Kamau Kowalski Tanaka Smith Hassan
		Petrov Rahimi Nkosi Müller Rao Torres Lindgren Dlamini Bianchi Aziz Watanabe Levi Horváth Okafor Costa Gupta Byrne
		Khan Svoboda Eze Weber Nguyen Holm Santos Karimova Bakker Molnár Nasser Cohen Kimura Almeida Hansen Murphy Amiri`)
}

// plain writes a name as an e-mail address may carry it.
func plain(s string) string {
	return strings.ToLower(strings.NewReplacer("á", "a", "í", "i", "é", "e", "ë", "e", "ø", "o", "Ø", "o", "š", "s",
		"ü", "u", "ı", "i", "ö", "o").Replace(s))
}

// code is a short identifier like those of paging tools, different for every n below 36⁵.
func code(n int) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	const size = 36 * 36 * 36 * 36 * 36
	v := (n*26_544_35 + 1_234_567) % size // 2,654,435 shares no factor with 36, so this permutes
	var b [5]byte
	for i := range b {
		b[i] = digits[v%36]
		v /= 36
	}
	return string(b[:])
}
