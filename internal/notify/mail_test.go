package notify

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"log"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// postOffice is a real mail server that keeps what it takes.
type postOffice struct {
	mu    sync.Mutex
	mails []string
	from  string
	to    []string
	user  string
	auth  bool  // must sign in
	rcpt  error // what it says of any recipient
	data  error
}

type visit struct {
	o      *postOffice
	signed bool
}

func (o *postOffice) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{o: o}, nil }

func (v *visit) AuthMechanisms() []string { return []string{sasl.Plain} }

func (v *visit) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != "steward" || password != secretText {
			return smtp.ErrAuthFailed
		}
		v.signed, v.o.user = true, user
		return nil
	}), nil
}

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	if v.o.auth && !v.signed {
		return smtp.ErrAuthRequired
	}
	v.o.from = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.o.to = append(v.o.to, to)
	return v.o.rcpt
}

func (v *visit) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if v.o.data != nil {
		return v.o.data
	}
	v.o.mu.Lock()
	defer v.o.mu.Unlock()
	v.o.mails = append(v.o.mails, string(b))
	return nil
}

func (*visit) Reset()        {}
func (*visit) Logout() error { return nil }

// open serves the office on loopback and answers how to reach it.
func (o *postOffice) open(t testing.TB, how string) SMTP {
	t.Helper()
	web := httptest.NewUnstartedServer(http.NotFoundHandler()) // for its certificate of 127.0.0.1
	web.StartTLS()
	t.Cleanup(web.Close)
	s := smtp.NewServer(o)
	s.Domain, s.AllowInsecureAuth, s.ErrorLog = "localhost", how == "none", log.New(io.Discard, "", 0)
	s.ReadTimeout, s.WriteTimeout = 5*time.Second, 5*time.Second
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if how == "starttls" {
		s.TLSConfig = &tls.Config{Certificates: web.TLS.Certificates}
	}
	if how == "implicit" {
		l = tls.NewListener(l, &tls.Config{Certificates: web.TLS.Certificates})
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	c := SMTP{Host: "127.0.0.1", Port: port, TLS: how, From: "Steward <steward@example.org>", Reach: Reach{AllowPrivate: []string{"127.0.0.0/8"}}}
	c.open("", func(field, format string, args ...any) { t.Fatalf(field+": "+format, args...) })
	c.roots = x509.NewCertPool()
	c.roots.AddCert(web.Certificate())
	return c
}

func mailBy(t testing.TB, c SMTP) Channel {
	t.Helper()
	m, err := NewMail(c, "https://steward.example.org")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestMail(t *testing.T) {
	for _, how := range []string{"starttls", "implicit", "none"} {
		for _, auth := range []bool{false, true} {
			o := &postOffice{auth: auth}
			c := o.open(t, how)
			if auth {
				c.User, c.password = "steward", secret(secretText)
			}
			m := mailBy(t, c)
			if err := m.Send(t.Context(), note()); err != nil {
				t.Errorf("%s %v: %v", how, auth, err)
				continue
			}
			if len(o.mails) != 1 || o.from != "steward@example.org" || len(o.to) != 1 || o.to[0] != "ana@example.org" || auth != (o.user == "steward") {
				t.Errorf("%s %v: %+v", how, auth, o)
				continue
			}
			got, err := netmail.ReadMessage(strings.NewReader(o.mails[0]))
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(got.Body))
			if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != note().Text {
				t.Errorf("%q, %v", body, err)
			}
			to, err := got.Header.AddressList("To")
			if err != nil || len(to) != 1 || to[0].Name != "Ana Öz" {
				t.Error(to, err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(got.Header.Get("Subject"))
			if err != nil || subject != note().Subject {
				t.Error(subject, err)
			}
			for name, want := range map[string]string{"Message-Id": "<" + note().ID + "@example.org>", "Auto-Submitted": "auto-generated", "List-Unsubscribe": "<https://steward.example.org/training/reminders>"} {
				if got.Header.Get(name) != want {
					t.Errorf("%s: %q", name, got.Header.Get(name))
				}
			}
			if at, err := got.Header.Date(); err != nil || !at.Equal(note().At) {
				t.Error(at, err)
			}
		}
	}
}

func TestMailFails(t *testing.T) {
	refusing := &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "no such user ana@example.org"}
	busy := &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "later"}
	for name, x := range map[string]struct {
		office  *postOffice
		how     string
		change  func(*SMTP, *Note)
		refused bool
	}{
		"no such mailbox":          {&postOffice{rcpt: refusing}, "starttls", nil, true},
		"busy":                     {&postOffice{data: busy}, "starttls", nil, false},
		"no address":               {&postOffice{}, "starttls", func(_ *SMTP, n *Note) { n.Address = "" }, true},
		"an address with a line":   {&postOffice{}, "starttls", func(_ *SMTP, n *Note) { n.Address = "ana@example.org\r\nBcc: eve@example.org" }, true},
		"a wrong password":         {&postOffice{auth: true}, "starttls", func(c *SMTP, _ *Note) { c.User, c.password = "steward", secret("wrong-and-secret") }, false},
		"a stranger's certificate": {&postOffice{}, "starttls", func(c *SMTP, _ *Note) { c.roots = x509.NewCertPool() }, false},
		"no TLS where it is due":   {&postOffice{}, "none", func(c *SMTP, _ *Note) { c.TLS = "starttls" }, false},
		"an address not allowed":   {&postOffice{}, "starttls", func(c *SMTP, _ *Note) { c.allow = nil }, false},
	} {
		o := x.office
		c, n := o.open(t, x.how), note()
		if x.change != nil {
			x.change(&c, &n)
		}
		err := mailBy(t, c).Send(t.Context(), n)
		if err == nil || Refused(err) != x.refused || len(o.mails) > 0 {
			t.Errorf("%s: %v, %d mails", name, err, len(o.mails))
			continue
		}
		if text := err.Error(); strings.Contains(text, "ana@") || strings.Contains(text, "secret") {
			t.Errorf("%s: the error tells too much: %s", name, text)
		}
	}
}
