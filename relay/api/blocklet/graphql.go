package blocklet

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/graph-gophers/graphql-go"
	gqlerrors "github.com/graph-gophers/graphql-go/errors"
	"github.com/graph-gophers/graphql-go/log"

	"code.hooktape.dev/hooktape/capture"
	"code.hooktape.dev/hooktape/relay/api"
)

//go:embed schema.graphql
var schema string

// What one request may ask for. Its clients' largest, with all of a user, has
// some 250 fields. graphql-go takes a time to look for fields that contradict
// one another that grows with the square of their number, and worse where
// fragments are within fragments.
const (
	mostNames      = 10_000 // times the fragments that are spread
	mostPairs      = 20_000
	mostFields     = 5000
	mostOperations = 50
	mostBytes      = 32 << 20 // of bodies and keys read
)

// graph answers queries.
type graph struct {
	schema func() *graphql.Schema // read when it is first asked for, and not as hooktape starts
	engine func(*http.Request) api.Engine
}

func newGraph(engine func(*http.Request) api.Engine, o Options) *graph {
	return &graph{sync.OnceValue(func() *graphql.Schema {
		return graphql.MustParseSchema(schema, &root{o}, graphql.UseFieldResolvers(),
			graphql.MaxSelections(mostFields), graphql.MaxDepth(20), graphql.OverlapValidationLimit(mostPairs), graphql.MaxQueryLength(256<<10), graphql.MaxParallelism(4),
			graphql.PanicHandler(panics{}), graphql.Logger(log.LoggerFunc(func(context.Context, any) {})))
	}), engine}
}

// panics are told to who asked, and not to the log: graphql-go panics at numbers
// that are too large for it.
type panics struct{}

func (panics) MakePanicError(_ context.Context, v any) *gqlerrors.QueryError {
	return gqlerrors.Errorf("the query cannot be answered: %v", v)
}

// call is one request, for those who resolve its fields, some at a time.
type call struct {
	api.Engine
	token      capture.Token
	mayChange  bool // it is a POST
	operations atomic.Int32
	bytes      atomic.Int64
	refused    atomic.Pointer[refusal] // what all of it is answered
}

type callKey struct{}

func callOf(ctx context.Context) *call { return ctx.Value(callKey{}).(*call) }

// spend counts bytes read, and refuses what is too much for one answer.
func (c *call) spend(n int64) error {
	if c.bytes.Add(max(n, 1<<10)) > mostBytes {
		return fmt.Errorf("the answer would be over %d MiB: ask for a smaller pageSize, or leave responseBody, data and request out", mostBytes>>20)
	}
	return nil
}

// begin counts an operation, and refuses those that its caller may not do.
func (c *call) begin(changes bool) error {
	var refused *refusal
	switch {
	case c.operations.Add(1) > mostOperations:
		return fmt.Errorf("a request may hold %d operations", mostOperations)
	case changes && !c.mayChange:
		refused = &refusal{http.StatusMethodNotAllowed, "invalid", "Can only perform a mutation operation from a POST request."}
	case changes && c.token.Scope != "" && c.token.Scope != capture.ScopeManage:
		refused = noPermission
	default:
		return nil
	}
	c.refused.Store(refused)
	return refused
}

// question is a request's body.
type question struct {
	Query     string         `json:"query"`
	Operation string         `json:"operationName"`
	Variables map[string]any `json:"variables"`
}

// serve answers a query. What is wrong with an argument, or not to be found, is
// an error within a 200: clients repeat a mutation at a 5xx.
func (g *graph) serve(w http.ResponseWriter, r *http.Request) error {
	q, err := asked(r)
	if err != nil {
		return err
	}
	if strings.TrimSpace(q.Query) == "" {
		return &refusal{http.StatusBadRequest, "invalid query", "Please provide a valid query"}
	}
	doc := scan(q.Query)
	switch {
	case doc.mutations > 1:
		return &refusal{http.StatusForbidden, "forbidden", "batch mutation not allowed"}
	case doc.names*(1+doc.fragments) > mostNames:
		return &refusal{http.StatusBadRequest, "invalid query", fmt.Sprintf("a query may hold %d names, and as much fewer as it spreads fragments", mostNames)}
	}
	c := &call{Engine: g.engine(r), token: api.Bearer(r), mayChange: r.Method == http.MethodPost}
	answer := g.schema().Exec(context.WithValue(r.Context(), callKey{}, c), doc.plain, q.Operation, q.Variables)
	if refused := c.refused.Load(); refused != nil {
		return refused
	}
	status := http.StatusOK
	if len(answer.Errors) > 0 && (answer.Data == nil || string(answer.Data) == "null") {
		status = http.StatusBadRequest
	}
	for _, e := range answer.Errors {
		if rest, ok := strings.CutPrefix(e.Message, "syntax error: "); ok {
			e.Message = "Syntax Error: " + rest
		}
	}
	write(w, status, answer)
	return nil
}

// asked is what a request asks: in its body, or in the query of a GET.
func asked(r *http.Request) (q question, err error) {
	if r.Method == http.MethodGet {
		of := r.URL.Query()
		q.Query, q.Operation = of.Get("query"), of.Get("operationName")
		if v := of.Get("variables"); v != "" {
			err = json.Unmarshal([]byte(v), &q.Variables)
		}
	} else {
		var body []byte
		if body, err = io.ReadAll(r.Body); err == nil {
			err = json.Unmarshal(body, &q)
		}
	}
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return q, &refusal{http.StatusRequestEntityTooLarge, "invalid", fmt.Sprintf("the request has over %d bytes", large.Limit)}
	}
	if err != nil {
		return q, &refusal{http.StatusBadRequest, "invalid query", "want JSON: an object with query, and maybe variables and operationName"}
	}
	return q, nil
}
