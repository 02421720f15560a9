package pages

import (
	"signalbox/federation/chain"
)

// graph is what graph.js draws, as it stands in the page. The table of nodes says the same in words.
type graph struct {
	Nodes []graphNode `json:"nodes"`
	Edges []graphEdge `json:"edges"`
}

type graphNode struct {
	ID    string `json:"id"`
	Job   string `json:"job"`
	State string `json:"state"`
	Word  string `json:"word"`
	URL   string `json:"url"`
	Stage string `json:"stage"`
}

type graphEdge struct {
	From  string `json:"from"`
	To    string `json:"to"`
	On    string `json:"on"`
	Value string `json:"value"` // of the dependency; empty = not told
}

// graphOf draws an instance. Without its definition there are no edges to draw.
func graphOf(def *chain.Definition, rows []nodeRow) graph {
	g := graph{Nodes: []graphNode{}, Edges: []graphEdge{}}
	values := map[[2]string]string{}
	for _, r := range rows {
		word := r.Chip.Word
		if r.Chip.Note != "" {
			word += " – " + r.Chip.Note
		}
		g.Nodes = append(g.Nodes, graphNode{ID: r.Name, Job: r.Job, State: r.Chip.Shape, Word: word, URL: "#node-" + r.Name, Stage: string(r.Stage)})
		for _, in := range r.Inputs {
			values[[2]string{in.Node, r.Name}] = in.Value
		}
	}
	if def != nil {
		g.Edges = edgesOf(def, values)
	}
	return g
}

// graphOfDefinition draws a chain without an instance.
func graphOfDefinition(def *chain.Definition) graph {
	g := graph{Nodes: []graphNode{}, Edges: edgesOf(def, nil)}
	for i := range def.Nodes {
		n := &def.Nodes[i]
		g.Nodes = append(g.Nodes, graphNode{ID: n.Name, Job: n.Job.String(), URL: "#node-" + n.Name, Stage: string(n.Stage)})
	}
	return g
}

func edgesOf(def *chain.Definition, values map[[2]string]string) []graphEdge {
	edges := []graphEdge{}
	for i := range def.Nodes {
		n := &def.Nodes[i]
		for _, a := range n.After {
			edges = append(edges, graphEdge{From: a.Node, To: n.Name, On: string(a.On), Value: values[[2]string{a.Node, n.Name}]})
		}
	}
	return edges
}
