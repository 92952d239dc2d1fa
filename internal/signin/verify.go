package signin

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/stewardhq/steward/access"
)

// skew is how far ahead the provider's clock may be.
const skew = 5 * time.Minute

// exchange turns a code into somebody. The hint is the ID token.
func (s *SignIn) exchange(ctx context.Context, p *provider, code string, t ticket) (id access.Identity, hint string, err error) {
	ctx = oidc.ClientContext(ctx, s.discovery.client)
	token, err := p.oauth.Exchange(ctx, code, oauth2.VerifierOption(t.Verifier))
	if err != nil {
		return id, "", exchangeFailed(err)
	}
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return id, "", unproven(errors.New("the provider sent no id_token"))
	}
	// Signature, algorithm, issuer, audience, exp and nbf.
	proof, err := p.verifier.Verify(ctx, raw)
	if err != nil {
		return id, "", unproven(errors.New(clip(err.Error())))
	}
	claims := map[string]any{}
	if err := proof.Claims(&claims); err != nil {
		return id, "", unproven(errors.New("the claims of the id_token are unreadable"))
	}
	if err := s.check(proof, claims, token.AccessToken, t.Nonce); err != nil {
		return id, "", unproven(err)
	}
	if p.userinfo && s.oidc.wantsMore(claims) {
		if err := addUserInfo(ctx, p, token, proof.Subject, claims); err != nil {
			return id, "", unproven(err)
		}
	}
	if id, err = s.oidc.identity(claims); err != nil {
		return id, "", &outcome{http.StatusForbidden, "Not signed in",
			"The provider signed you in, but does not say who you are in a way that Steward can rely on: " + err.Error() + ".", err}
	}
	return id, raw, nil
}

// check is what the verifier leaves to its caller (OpenID Connect Core 3.1.3.7).
func (s *SignIn) check(proof *oidc.IDToken, claims map[string]any, accessToken, nonce string) error {
	if subtle.ConstantTimeCompare([]byte(proof.Nonce), []byte(nonce)) != 1 {
		return errors.New("the nonce of the id_token is not the one that was asked for")
	}
	azp, there := claims["azp"]
	if there && azp != s.oidc.ClientID {
		return errors.New("the id_token was made for another client (azp)")
	}
	if !there && len(proof.Audience) > 1 {
		return errors.New("the id_token is for several clients and does not say for which (azp)")
	}
	if proof.Subject == "" {
		return errors.New("the id_token has no sub")
	}
	if proof.IssuedAt.After(s.now().Add(skew)) {
		return errors.New("the id_token comes from the future: the clocks differ")
	}
	if proof.AccessTokenHash != "" && proof.VerifyAccessToken(accessToken) != nil {
		return errors.New("the access token is not the one that the id_token vouches for (at_hash)")
	}
	return nil
}

// exchangeFailed leaves out the body of an answer: providers echo what they were sent, and
// that was a code and a secret.
func exchangeFailed(err error) error {
	var refused *oauth2.RetrieveError
	if !errors.As(err, &refused) {
		return unavailable(errors.New("the code could not be exchanged: " + clip(err.Error())))
	}
	status := 0
	if refused.Response != nil {
		status = refused.Response.StatusCode
	}
	cause := fmt.Errorf("the token endpoint answered %d with the error %q", status, clip(refused.ErrorCode))
	if status >= 500 {
		return unavailable(cause)
	}
	return unproven(cause)
}
