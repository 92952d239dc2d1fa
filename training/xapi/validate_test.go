package xapi

import (
	"strings"
	"testing"
)

// Statements written by hand from the specifications, not by this package.

const small = `{"actor":{"mbox":"mailto:ana@example.org"},"verb":{"id":"http://example.org/verbs/read"},"object":{"id":"http://example.org/book"}}`

const full = `{
  "id": "12345678-1234-5678-8234-567812345678",
  "actor": {"objectType": "Agent", "name": "Ana", "account": {"homePage": "https://steward.example.org", "name": "k3x7q2ab"}},
  "verb": {"id": "http://adlnet.gov/expapi/verbs/passed", "display": {"en-GB": "passed", "zh-Hant": "通過"}},
  "object": {"objectType": "Activity", "id": "https://steward.example.org/training/PG3", "definition": {
    "name": {"en": "The first five minutes"}, "description": {"en": "…"}, "type": "http://adlnet.gov/expapi/activities/module", "moreInfo": "https://example.org/more",
    "interactionType": "choice", "extensions": {"http://example.org/x": null}}},
  "result": {"score": {"scaled": 0.8, "raw": 4, "min": 0, "max": 5}, "success": true, "completion": true, "response": "b", "duration": "PT1H2M3.5S", "extensions": {"http://example.org/y": [1, null]}},
  "context": {"registration": "ec531277-b57b-4c15-8d91-d292c5b2b8f7", "instructor": {"openid": "https://id.example.org/bo"},
    "team": {"objectType": "Group", "name": "Checkout", "member": [{"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}]},
    "contextActivities": {"parent": {"id": "http://example.org/p"}, "grouping": [{"id": "http://example.org/g"}], "category": [], "other": [{"objectType": "Activity", "id": "urn:x:y"}]},
    "revision": "3", "platform": "Steward", "language": "en", "statement": {"objectType": "StatementRef", "id": "6690e6c9-3ef0-4ed3-8b37-7f3964730bee"}},
  "timestamp": "2026-05-04T09:00:00.123+02:00", "stored": "2026-05-04T07:00:01Z", "version": "1.0.3",
  "authority": {"objectType": "Agent", "account": {"homePage": "https://lrs.example.org", "name": "steward"}}
}`

const voidingText = `{"id":"12345678-1234-5678-8234-567812345678","actor":{"account":{"homePage":"https://steward.example.org","name":"steward"}},"verb":{"id":"http://adlnet.gov/expapi/verbs/voided","display":{"en":"voided"}},"object":{"objectType":"StatementRef","id":"e05aa883-acaf-40ad-bf54-02c8ce485fb0"}}`

func TestGoodStatements(t *testing.T) {
	for name, text := range map[string]string{
		"small": small, "full": full, "voiding": voidingText,
		"about a person":     strings.Replace(small, `{"id":"http://example.org/book"}`, `{"objectType":"Agent","mbox":"mailto:bo@example.org"}`, 1),
		"by a group":         strings.Replace(small, `{"mbox":"mailto:ana@example.org"}`, `{"objectType":"Group","mbox":"mailto:team@example.org"}`, 1),
		"by unnamed":         strings.Replace(small, `{"mbox":"mailto:ana@example.org"}`, `{"objectType":"Group","member":[{"mbox":"mailto:a@example.org"},{"openid":"http://a.example"}]}`, 1),
		"a SubStatement":     strings.Replace(small, `{"id":"http://example.org/book"}`, `{"objectType":"SubStatement","actor":{"mbox":"mailto:a@example.org"},"verb":{"id":"urn:x:will"},"object":{"id":"http://example.org/b"}}`, 1),
		"a negative score":   strings.Replace(full, `"scaled": 0.8`, `"scaled": -1`, 1),
		"a week":             strings.Replace(full, "PT1H2M3.5S", "P3W", 1),
		"nought":             strings.Replace(full, "PT1H2M3.5S", "PT0S", 1),
		"a year and a bit":   strings.Replace(full, "PT1H2M3.5S", "P1Y2M3DT4H", 1),
		"with an attachment": strings.Replace(full, `"version"`, `"attachments":[{"usageType":"http://example.org/u","display":{"en":"x"},"contentType":"text/plain","length":3,"sha2":"ab"}],"version"`, 1),
	} {
		if faults := Validate([]byte(text)); len(faults) > 0 {
			t.Errorf("%s: %v", name, faults)
		}
	}
}

func TestBadStatements(t *testing.T) {
	for _, c := range []struct{ base, from, to, path string }{
		{small, small, `[]`, ""}, {small, small, `{`, ""}, {small, small, small + small, ""},
		{small, `"verb":{"id":"http://example.org/verbs/read"},`, ``, "verb"},
		{small, `"actor":{"mbox":"mailto:ana@example.org"},`, ``, "actor"},
		{small, `,"object":{"id":"http://example.org/book"}`, ``, "object"},
		{small, `"actor":{"mbox":"mailto:ana@example.org"}`, `"actor":null`, "actor"},
		{small, `{"mbox":"mailto:ana@example.org"}`, `{}`, "actor"},
		{small, `{"mbox":"mailto:ana@example.org"}`, `{"name":"Ana"}`, "actor"},
		{small, `{"mbox":"mailto:ana@example.org"}`, `"ana"`, "actor"},
		{small, `"mailto:ana@example.org"`, `"mailto:ana@example.org","openid":"https://a.example"`, "actor"},
		{small, `mailto:ana@example.org`, `ana@example.org`, "actor.mbox"},
		{small, `"mbox":"mailto:ana@example.org"`, `"mbox_sha1sum":"abc"`, "actor.mbox_sha1sum"},
		{small, `"mbox":"mailto:ana@example.org"`, `"openid":"ana"`, "actor.openid"},
		{small, `"mbox":"mailto:ana@example.org"`, `"account":{"name":"a"}`, "actor.account.homePage"},
		{small, `"mbox":"mailto:ana@example.org"`, `"account":{"homePage":"https://a.example"}`, "actor.account.name"},
		{small, `"mbox":"mailto:ana@example.org"`, `"account":{"homePage":"a","name":"a"}`, "actor.account.homePage"},
		{small, `"mbox":"mailto:ana@example.org"`, `"account":{"homePage":"https://a.example","name":7}`, "actor.account.name"},
		{small, `"mbox":"mailto:ana@example.org"`, `"mbox":"mailto:ana@example.org","member":[]`, "actor.member"},
		{small, `"mbox":"mailto:ana@example.org"`, `"objectType":"Person","mbox":"mailto:ana@example.org"`, "actor.objectType"},
		{small, `"mbox":"mailto:ana@example.org"`, `"objectType":"Group"`, "actor.member"},
		{small, `"mbox":"mailto:ana@example.org"`, `"objectType":"Group","member":[{"objectType":"Group","mbox":"mailto:x@y.z"}]`, "actor.member[0]"},
		{small, `http://example.org/verbs/read`, `read`, "verb.id"},
		{small, `http://example.org/verbs/read`, `http:// x`, "verb.id"},
		{small, `{"id":"http://example.org/verbs/read"}`, `{"id":"http://example.org/read","display":{"e n":"x"}}`, "verb.display"},
		{small, `{"id":"http://example.org/verbs/read"}`, `{"id":"http://example.org/read","display":{"en":1}}`, "verb.display.en"},
		{small, `{"id":"http://example.org/verbs/read"}`, `{"display":{"en":"x"}}`, "verb.id"},
		{small, `http://example.org/book`, `book`, "object.id"}, {small, `http://example.org/book`, `/book`, "object.id"}, {small, `http://example.org/book`, `http:///book`, "object.id"},
		{small, `{"id":"http://example.org/book"}`, `{"objectType":"Book","id":"http://example.org/book"}`, "object.objectType"},
		{small, `{"id":"http://example.org/book"}`, `{"objectType":"StatementRef","id":"http://example.org/book"}`, "object.id"},
		{small, `{"id":"http://example.org/book"}`, `{"objectType":"SubStatement","id":"12345678-1234-5678-8234-567812345678","actor":{"mbox":"mailto:a@b.c"},"verb":{"id":"urn:x:y"},"object":{"id":"urn:x:y"}}`, "object.id"},
		{small, `{"id":"http://example.org/book"}`, `{"objectType":"SubStatement","actor":{"mbox":"mailto:a@b.c"},"verb":{"id":"urn:x:y"},"object":{"objectType":"SubStatement"}}`, "object.object"},
		{small, `{"actor"`, `{"Actor":1,"actor"`, "Actor"}, {small, `{"actor"`, `{"colour":"red","actor"`, "colour"},
		{full, `12345678-1234-5678-8234-567812345678`, `12345678`, "id"}, {full, `12345678-1234-5678-8234-567812345678`, `{12345678-1234-5678-8234-567812345678}`, "id"},
		{full, `"scaled": 0.8`, `"scaled": 1.01`, "result.score.scaled"}, {full, `"scaled": 0.8`, `"scaled": -1.5`, "result.score.scaled"}, {full, `"scaled": 0.8`, `"scaled": "0.8"`, "result.score.scaled"},
		{full, `"raw": 4`, `"raw": 6`, "result.score.raw"}, {full, `"raw": 4`, `"raw": -1`, "result.score.raw"}, {full, `"max": 5`, `"max": 0`, "result.score.max"},
		{full, `"scaled": 0.8`, `"scaled": 0.8, "best": 1`, "result.score.best"},
		{full, `"success": true`, `"success": "true"`, "result.success"}, {full, `"completion": true`, `"completion": 1`, "result.completion"}, {full, `"response": "b"`, `"response": 2`, "result.response"},
		{full, `PT1H2M3.5S`, `1:02:03`, "result.duration"}, {full, `PT1H2M3.5S`, `P`, "result.duration"}, {full, `PT1H2M3.5S`, `PT`, "result.duration"}, {full, `PT1H2M3.5S`, `-PT1S`, "result.duration"}, {full, `PT1H2M3.5S`, `P1W2D`, "result.duration"},
		{full, `{"http://example.org/y": [1, null]}`, `{"y": 1}`, "result.extensions"}, {full, `{"http://example.org/y": [1, null]}`, `[]`, "result.extensions"},
		{full, `ec531277-b57b-4c15-8d91-d292c5b2b8f7`, `first`, "context.registration"}, {full, `"language": "en"`, `"language": "English, please"`, "context.language"},
		{full, `"objectType": "Group", "name": "Checkout", "member": [{"mbox_sha1sum": "ebd31e95054c018b10727ccffd2ef2ec3a016ee9"}]`, `"mbox": "mailto:x@y.z"`, "context.team"},
		{full, `"parent": {"id": "http://example.org/p"}`, `"parent": "http://example.org/p"`, "context.contextActivities.parent"},
		{full, `"grouping": [{"id": "http://example.org/g"}]`, `"grouping": ["x"]`, "context.contextActivities.grouping[0]"},
		{full, `"parent": {`, `"mother": {`, "context.contextActivities.mother"},
		{full, `"category": []`, `"category": [{"objectType":"Agent","id":"http://example.org"}]`, "context.contextActivities.category.objectType"},
		{full, `{"objectType": "StatementRef", "id"`, `{"id"`, "context.statement.objectType"},
		{full, `09:00:00.123+02:00`, `09:00:00.123`, "timestamp"}, {full, `2026-05-04T09:00:00.123+02:00`, `04/05/2026 09:00`, "timestamp"}, {full, `09:00:00.123+02:00`, `09:00:00.123-00:00`, "timestamp"}, {full, `2026-05-04T09`, `2026-13-04T09`, "timestamp"},
		{full, `"2026-05-04T07:00:01Z"`, `1`, "stored"}, {full, `"1.0.3"`, `"2.0.0"`, "version"}, {full, `"interactionType": "choice"`, `"interactionType": "guess"`, "object.definition.interactionType"},
		{full, `"moreInfo": "https://example.org/more"`, `"moreInfo": "more"`, "object.definition.moreInfo"}, {full, `"description": {"en": "…"}`, `"description": "…"`, "object.definition.description"},
		{full, `"authority": {"objectType": "Agent", "account"`, `"authority": {"objectType": "Agent", "mbox": "mailto:a@b.c", "account"`, "authority"},
		{full, `"version"`, `"attachments":[{"usageType":"http://example.org/u","display":{"en":"x"},"contentType":"text/plain","length":3.5,"sha2":"ab"}],"version"`, "attachments[0].length"},
		{full, `"version"`, `"attachments":[{"display":{"en":"x"},"contentType":"text/plain","length":3,"sha2":"ab"}],"version"`, "attachments[0].usageType"},
		{voidingText, `{"objectType":"StatementRef","id":"e05aa883-acaf-40ad-bf54-02c8ce485fb0"}`, `{"id":"http://example.org/x"}`, "object"},
		{strings.Replace(full, `"objectType": "Activity", "id": "https://steward.example.org/training/PG3"`, `"objectType":"StatementRef", "id": "e05aa883-acaf-40ad-bf54-02c8ce485fb0"`, 1), `"revision": "3", `, ``, "context.platform"},
	} {
		if !strings.Contains(c.base, c.from) {
			t.Fatalf("there is no %s", c.from)
		}
		faults := Validate([]byte(strings.Replace(c.base, c.from, c.to, 1)))
		found := false
		for _, f := range faults {
			if alone := strings.TrimPrefix(f.Path, "context.contextActivities.category[0]"); f.Path == c.path || alone == ".objectType" && strings.HasSuffix(c.path, "category.objectType") {
				found = true
			}
		}
		if !found {
			t.Errorf("%s: nothing at %q, but %v", c.to, c.path, faults)
		}
	}
}

func FuzzValidate(f *testing.F) {
	for _, text := range []string{small, full, voidingText, passedText, `{"actor":1,"verb":[],"object":"x","context":{"contextActivities":[1]}}`} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		first, second := len(Validate(text)), len(ValidateCmi5(text))
		if first > 0 && second == 0 {
			t.Error("the profile allows what the specification forbids")
		}
	})
}
