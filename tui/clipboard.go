package tui

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/atotto/clipboard"
	"github.com/aymanbagabas/go-osc52/v2"
)

// oscMost is how long an encoded text terminals take in an OSC 52 sequence
// everywhere.
const oscMost = 74_994

// copy puts text on the clipboard of whoever sits at the terminal, and says
// how. Over ssh this machine's clipboard is not theirs; in tmux the escape
// sequence is dropped without a word unless it is configured, while tmux
// itself passes text on.
func (t *terminal) copy(ctx context.Context, what, text string) (said string, err error) {
	size := fmt.Sprintf("%s, %s", what, size(int64(len(text))))
	if !t.ssh && t.desktop() && clipboard.WriteAll(text) == nil {
		return "copied " + size, nil
	}
	if t.getenv("TMUX") != "" && t.tmux(ctx, text) == nil {
		return "copied " + size + " (tmux)", nil
	}
	if base64.StdEncoding.EncodedLen(len(text)) > oscMost {
		name, err := save(what, text)
		if err != nil {
			return "", err
		}
		return "too big to copy: " + size + ", saved to " + name, nil
	}
	if t.out == nil || t.out.File == nil {
		return "", errors.New("no clipboard within reach")
	}
	if _, err := osc52.New(text).WriteTo(t.out); err != nil {
		return "", err
	}
	said = "sent " + size + " to the terminal (OSC 52)"
	if t.getenv("TMUX") != "" {
		said += ", which tmux drops unless set-clipboard is on"
	}
	return said, nil
}

// desktop reports whether this machine may have a clipboard.
func (t *terminal) desktop() bool {
	return !clipboard.Unsupported && (os.PathSeparator == '\\' || t.getenv("DISPLAY") != "" || t.getenv("WAYLAND_DISPLAY") != "" || hasPbcopy())
}

func hasPbcopy() bool {
	_, err := exec.LookPath("pbcopy")
	return err == nil
}

// tmux gives text to the tmux we run in, and -w passes it on to the terminal
// it runs in.
func (t *terminal) tmux(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "tmux", "load-buffer", "-w", "-")
	cmd.Stdin = strings.NewReader(text)
	return cmd.Run()
}

// save writes text to a file of its own that nobody else can read.
func save(what, text string) (string, error) {
	f, err := os.CreateTemp("", "hooktape-"+what+"-*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(text)
	return f.Name(), errors.Join(err, f.Close())
}
