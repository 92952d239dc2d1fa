package signin

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/oauth2"

	"github.com/stewardhq/steward/access"
)

// identity reads who somebody is from claims.
func (o *OIDC) identity(claims map[string]any) (access.Identity, error) {
	value, ok := claim(claims, o.PersonClaim).(string)
	if !ok {
		return access.Identity{}, fmt.Errorf("the claim %s is missing or is no text", o.PersonClaim)
	}
	if o.PersonClaim == "email" {
		// Many providers say nothing of it, since they hand out the addresses themselves. Who
		// says something other than true lets people write any address into their profile.
		if v, there := claims["email_verified"]; there && v != true && v != "true" {
			return access.Identity{}, errors.New("the e-mail address is not verified")
		}
	}
	p, err := person(value)
	if err != nil {
		return access.Identity{}, err
	}
	name, _ := claims["name"].(string)
	if name == "" {
		name, _ = claims["preferred_username"].(string)
	}
	return access.Identity{Person: p, Name: greeting(name), Groups: groups(texts(claim(claims, o.GroupsClaim))), Method: "oidc"}, nil
}

// wantsMore says whether an id_token leaves open what the userinfo endpoint may tell: the
// standard lets providers put the claims of scopes there only (OpenID Connect Core 5.4).
func (o *OIDC) wantsMore(claims map[string]any) bool {
	return claim(claims, o.PersonClaim) == nil || claim(claims, o.GroupsClaim) == nil ||
		o.PersonClaim == "email" && claims["email_verified"] == nil
}

// addUserInfo fills in what the id_token left open. What is signed stands.
func addUserInfo(ctx context.Context, p *provider, token *oauth2.Token, subject string, claims map[string]any) error {
	info, err := p.about.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return errors.New("the userinfo endpoint did not answer as it should") // its error quotes the answer, which is about a person
	}
	if info.Subject != subject {
		return errors.New("the userinfo endpoint speaks of somebody else (sub)")
	}
	more := map[string]any{}
	if err := info.Claims(&more); err != nil {
		return errors.New("the answer of the userinfo endpoint is unreadable")
	}
	for name, v := range more {
		if inner, ok := v.(map[string]any); ok {
			fill(claims, name, inner)
		} else if _, there := claims[name]; !there {
			claims[name] = v
		}
	}
	return nil
}

// fill adds the fields of an object that the claims have not.
func fill(claims map[string]any, name string, inner map[string]any) {
	own, there := claims[name]
	if !there {
		claims[name] = inner
		return
	}
	if own, ok := own.(map[string]any); ok {
		for k, v := range inner {
			if _, there := own[k]; !there {
				own[k] = v
			}
		}
	}
}

// claim finds a claim by its name, which may itself hold dots as in https://example.org/groups,
// or by a dotted path.
func claim(claims map[string]any, path string) any {
	if v, there := claims[path]; there {
		return v
	}
	first, rest, dotted := strings.Cut(path, ".")
	inner, ok := claims[first].(map[string]any)
	if !dotted || !ok {
		return nil
	}
	return claim(inner, rest)
}

// texts reads a list of texts, or one text.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			if s, ok := e.(string); ok {
				out = append(out, s)
			}
		}
		return out
	}
	return nil
}
