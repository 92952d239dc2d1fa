package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	netmail "net/mail"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/stewardhq/steward/internal/outbound"
)

// Theory of operation of mail
//
//  1. One message is for one person, as plain text: what it says is short, and nothing in it
//     has to be trusted.
//  2. The Message-ID follows from the note, so that a copy is the same message. Bulk mail says
//     that it is (Auto-Submitted, Precedence), so that nobody's absence answers it, and where
//     to switch it off (List-Unsubscribe).
//  3. TLS is required unless the server is on loopback; a server that offers none gets no mail.

type mailer struct {
	cfg  SMTP
	site string
	from *netmail.Address
}

// NewMail is the channel "mail" of a resolved configuration; site is where people open Steward.
func NewMail(s SMTP, site string) (Channel, error) {
	from, err := netmail.ParseAddress(s.From)
	if err != nil {
		return nil, fmt.Errorf("smtp.from: %w", err)
	}
	return &mailer{s, site, from}, nil
}

func (m *mailer) Name() string { return "mail" }

func (m *mailer) Send(ctx context.Context, n Note) error {
	if n.Address == "" {
		return ErrNoAddress
	}
	msg, err := m.message(n)
	if err != nil {
		return err
	}
	client, err := m.client()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	err = client.DialAndSendWithContext(ctx, msg)
	if err == nil {
		return nil
	}
	var sending *mail.SendError
	if errors.As(err, &sending) {
		// The error's own text repeats the address.
		reason := fmt.Sprintf("the mail server answered %d", sending.ErrorCode())
		if code := sending.ErrorCode(); code >= 500 && code < 600 && !sending.IsTemp() {
			return &RefusedError{reason}
		}
		return errors.New(reason)
	}
	return fmt.Errorf("reach the mail server: %w", err)
}

func (m *mailer) message(n Note) (*mail.Msg, error) {
	msg := mail.NewMsg(mail.WithNoDefaultUserAgent())
	if err := msg.FromFormat(m.from.Name, m.from.Address); err != nil {
		return nil, fmt.Errorf("smtp.from: %w", err)
	}
	if err := msg.AddToFormat(n.Name, n.Address); err != nil {
		return nil, &RefusedError{"the person's address is not one of e-mail"}
	}
	_, domain, _ := strings.Cut(m.from.Address, "@")
	msg.SetMessageIDWithValue(n.ID + "@" + domain)
	msg.SetDateWithValue(n.At)
	msg.Subject(n.Subject)
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("Precedence", "bulk")
	if m.site != "" {
		msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+m.site+"/training/reminders>")
	}
	msg.SetBodyString(mail.TypeTextPlain, n.Text)
	return msg, nil
}

func (m *mailer) client() (*mail.Client, error) {
	dialer := outbound.Dialer(m.cfg.outbound())
	conf := &tls.Config{ServerName: m.cfg.Host, RootCAs: m.cfg.roots, MinVersion: tls.VersionTLS12}
	dial := dialer.DialContext
	if m.cfg.TLS == "implicit" {
		dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			return (&tls.Dialer{NetDialer: dialer, Config: conf}).DialContext(ctx, network, address)
		}
	}
	policy := mail.TLSMandatory
	if m.cfg.TLS != "starttls" {
		policy = mail.NoTLS // around the connection already, or on loopback
	}
	opts := []mail.Option{mail.WithPort(m.cfg.Port), mail.WithTimeout(timeout), mail.WithTLSPolicy(policy), mail.WithTLSConfig(conf), mail.WithDialContextFunc(dial)}
	if m.cfg.TLS == "implicit" {
		opts = append(opts, mail.WithSSL())
	}
	if m.cfg.User != "" {
		ways := []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlain, mail.SMTPAuthLogin}
		if m.cfg.TLS == "none" {
			ways = []mail.SMTPAuthType{mail.SMTPAuthSCRAMSHA256, mail.SMTPAuthSCRAMSHA1, mail.SMTPAuthPlainNoEnc, mail.SMTPAuthLoginNoEnc}
		}
		opts = append(opts, mail.WithOpportunisticSMTPAuth(ways...), mail.WithUsername(m.cfg.User), mail.WithPassword(m.cfg.password.reveal()))
	}
	client, err := mail.NewClient(m.cfg.Host, opts...)
	if err != nil {
		return nil, fmt.Errorf("smtp: %w", err)
	}
	return client, nil
}
