package relay

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"code.hooktape.dev/hooktape/capture"
)

// RuleBook has the rules at work: those of the configuration and those that
// were made. It is safe for concurrent use.
type RuleBook interface {
	// Check refuses a rule that cannot work, with a *capture.FieldError.
	Check(*capture.RuleSpec) error
	// Put replaces the rules that were made. What those whose id stays have
	// done so far is remembered.
	Put(made []capture.Rule) error
	// Rows are all rules in the order they are asked.
	Rows() []capture.RuleRow
	// Reset forgets what a rule has done so far; "": what all have. It returns
	// capture.ErrNotFound, wrapped, for an id that is no rule's.
	Reset(capture.ID) error
	// Explain says of each rule in order whether it applies to an event.
	Explain(e *capture.Event, body []byte) []capture.RuleExplanation
}

// mostRules is how many rules there may be.
const mostRules = 10_000

// Rules are all rules, in the order they are asked: of an app those that are
// its own alone, of "" all.
func (r *Registry) Rules(_ context.Context, app string) ([]capture.RuleRow, error) {
	rows := r.hooks.Rules.Rows()
	return slices.DeleteFunc(rows, func(row capture.RuleRow) bool { return app != "" && row.App != app }), nil
}

// Rule is one rule. It returns capture.ErrNotFound, wrapped, where there is
// none.
func (r *Registry) Rule(_ context.Context, id capture.ID) (capture.RuleRow, error) {
	for _, row := range r.hooks.Rules.Rows() {
		if row.ID == id {
			return row, nil
		}
	}
	return capture.RuleRow{}, fmt.Errorf("rule %s: %w", id, capture.ErrNotFound)
}

// CreateRule makes a rule that is asked behind all others.
func (r *Registry) CreateRule(ctx context.Context, spec capture.RuleSpec) (capture.RuleRow, error) {
	if err := r.checkRule(ctx, &spec); err != nil {
		return capture.RuleRow{}, err
	}
	r.known.rules.Lock()
	defer r.known.rules.Unlock()
	rules, err := r.madeRules(ctx)
	if err != nil {
		return capture.RuleRow{}, err
	}
	if len(rules) >= mostRules {
		return capture.RuleRow{}, &capture.ConflictError{What: fmt.Sprintf("there are %d rules already; delete some first", len(rules))}
	}
	place := int64(1)
	if n := len(rules); n > 0 {
		place = rules[n-1].Place + 1
	}
	now := time.Now().UTC()
	made, err := r.store.EditRule(ctx, capture.NewID(capture.RuleID), func(rule *capture.Rule, _ bool) error {
		*rule = capture.Rule{RuleSpec: spec, Place: place, Created: now, Updated: now, CreatedBy: r.by, UpdatedBy: r.by}
		return nil
	})
	return r.rulePut(ctx, made.ID, err)
}

// UpdateRule changes what the patch names. A rule of a configuration file is
// changed there: that is a *capture.ConflictError.
func (r *Registry) UpdateRule(ctx context.Context, id capture.ID, patch json.RawMessage) (capture.RuleRow, error) {
	return r.changeRule(ctx, id, func() error {
		_, err := r.store.EditRule(ctx, id, func(rule *capture.Rule, found bool) error {
			if !found {
				return capture.ErrNotFound
			}
			spec := rule.RuleSpec
			if err := merge(&spec, patch); err != nil {
				return err
			}
			if err := r.checkRule(ctx, &spec); err != nil {
				return err
			}
			rule.RuleSpec, rule.Updated, rule.UpdatedBy = spec, time.Now().UTC(), r.by
			return nil
		})
		return err
	})
}

// MoveRule puts a rule in a place among those that were made: 1 is asked before
// the others.
func (r *Registry) MoveRule(ctx context.Context, id capture.ID, place int) (capture.RuleRow, error) {
	return r.changeRule(ctx, id, func() error {
		rules, err := r.madeRules(ctx)
		if err != nil {
			return err
		}
		at := slices.IndexFunc(rules, func(rule capture.Rule) bool { return rule.ID == id })
		if at < 0 {
			return capture.ErrNotFound
		}
		moved := rules[at]
		rules = slices.Insert(slices.Delete(rules, at, at+1), min(max(place, 1), len(rules))-1, moved)
		for i, rule := range rules {
			if rule.Place == int64(i+1) {
				continue
			}
			if _, err := r.store.EditRule(ctx, rule.ID, func(rule *capture.Rule, found bool) error {
				if !found {
					return capture.ErrNotFound
				}
				rule.Place = int64(i + 1)
				return nil
			}); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeleteRule forgets a rule.
func (r *Registry) DeleteRule(ctx context.Context, id capture.ID) error {
	_, err := r.changeRule(ctx, id, func() error { return r.store.RemoveRule(ctx, id) })
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

// ResetRules forgets what a rule has done so far, its place in a sequence and
// the state of its scenario among it; "": what all have.
func (r *Registry) ResetRules(_ context.Context, id capture.ID) error { return r.hooks.Rules.Reset(id) }

// ExplainRules says of each rule in order whether it applies to an event, and
// what keeps it from that.
func (r *Registry) ExplainRules(ctx context.Context, event capture.ID) ([]capture.RuleExplanation, error) {
	row, err := r.store.Event(ctx, event)
	if err != nil {
		return nil, err
	}
	body, err := r.store.Body(ctx, event)
	if err != nil && !errors.Is(err, capture.ErrDamaged) {
		return nil, err
	}
	all := r.hooks.Rules.Explain(&row.Event, body)
	if row.Trigger != "" {
		for i := range all {
			all[i].Applies, all[i].Why = false, []string{firingAlone}
		}
	}
	return all, nil
}

// errGone is returned for a rule that its own change has done away with.
var errGone = errors.New("it is gone")

// changeRule changes a rule that was made, and puts the rules to work as they
// are then.
func (r *Registry) changeRule(ctx context.Context, id capture.ID, change func() error) (capture.RuleRow, error) {
	row, err := r.Rule(ctx, id)
	if err != nil {
		return row, err
	}
	if row.File != "" {
		return row, &capture.ConflictError{With: string(id), What: fmt.Sprintf("rule %s is from %s: change it there, and it counts at once", id, row.File)}
	}
	r.known.rules.Lock()
	defer r.known.rules.Unlock()
	return r.rulePut(ctx, id, change())
}

// rulePut puts the rules that were made to work, once a change of them is kept,
// and returns the one that it was about.
func (r *Registry) rulePut(ctx context.Context, id capture.ID, err error) (capture.RuleRow, error) {
	if err != nil {
		return capture.RuleRow{}, bare(err)
	}
	rules, err := r.madeRules(ctx)
	if err == nil {
		err = r.hooks.Rules.Put(rules)
	}
	if err != nil {
		return capture.RuleRow{}, err
	}
	row, err := r.Rule(ctx, id)
	if errors.Is(err, capture.ErrNotFound) {
		return row, errGone
	}
	return row, err
}

// madeRules are the rules that were made, in the order they are asked.
func (r *Registry) madeRules(ctx context.Context) ([]capture.Rule, error) {
	rules, err := r.store.Rules(ctx)
	slices.SortStableFunc(rules, func(a, b capture.Rule) int { return int(a.Place - b.Place) })
	return rules, err
}

func (r *Registry) checkRule(ctx context.Context, spec *capture.RuleSpec) error {
	if err := length("name", spec.Name, 200); err != nil {
		return err
	}
	if spec.App != "" {
		if _, err := r.App(ctx, spec.App); err != nil {
			return &capture.FieldError{Field: "app", Problem: err.Error()}
		}
	}
	return r.hooks.Rules.Check(spec)
}
