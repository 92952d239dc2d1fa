package signin

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// secretOf reads a secret from where the configuration says it is. The error names the
// field, never what was found there.
func secretOf(field, env, file string) (string, error) {
	if env != "" {
		s := os.Getenv(env)
		if s == "" {
			return "", fmt.Errorf("%s_env: the environment variable %s is empty", field, env)
		}
		return s, nil
	}
	f, err := os.Open(file)
	if err != nil {
		return "", fmt.Errorf("%s_file: %w", field, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, 4<<10))
	if err != nil {
		return "", fmt.Errorf("%s_file: %w", field, err)
	}
	s := strings.TrimRight(string(b), "\r\n") // editors and echo end a file with a line
	if s == "" {
		return "", errors.New(field + "_file: the file is empty")
	}
	return s, nil
}
