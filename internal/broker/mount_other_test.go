//go:build !linux

package broker

import "errors"

func mountTmpfs(string, string) error { return errors.ErrUnsupported }
