/* graph.c: a flow as a Graphviz picture, for people. */
#include "flow/flow.h"

#include "base/buf.h"
#include "base/clock.h"
#include "base/str.h"

#include <stdio.h>

static void quoted(struct buf *out, txw_str s)
{
	buf_char(out, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] == '"' || s.ptr[i] == '\\')
			buf_char(out, '\\');
		buf_char(out, s.ptr[i]);
	}
	buf_char(out, '"');
}

static void edge(struct buf *out, const struct flow *f, uint32_t from, uint32_t to,
		 const char *attributes)
{
	buf_text(out, "\t");
	quoted(out, f->states[from].name);
	buf_text(out, " -> ");
	quoted(out, f->states[to].name);
	buf_text(out, attributes);
	buf_text(out, ";\n");
}

void flow_graph(const struct flow *flow, struct buf *out)
{
	static const char *const colours[] = {
	    [TXW_OPEN] = "black",           [TXW_SUCCESS] = "darkgreen",  [TXW_FAILURE] = "red",
	    [TXW_OUT_CANCELLED] = "gray40", [TXW_EXPIRED] = "darkorange",
	};
	buf_text(out, "digraph ");
	quoted(out, flow->name);
	buf_text(out, " {\n\trankdir=LR;\n\tnode [shape=box, style=rounded];\n");
	for (uint32_t i = 0; i < flow->n_states; i++) {
		const struct flow_state *s = &flow->states[i];
		buf_text(out, "\t");
		quoted(out, s->name);
		buf_printf(out, " [color=%s%s];\n", colours[s->outcome],
			   i == flow->initial ? ", style=\"rounded,bold\"" : "");
	}
	for (uint32_t i = 0; i < flow->n_states; i++) {
		const struct flow_state *s = &flow->states[i];
		for (uint32_t k = 0; k < s->n_next; k++)
			edge(out, flow, i, s->next[k], "");
		if (s->outcome != TXW_OPEN || s->expires_to >= flow->n_states ||
		    (!s->expires && !flow->ttl))
			continue;
		char after[DURATION_TEXT_MAX];
		char label[DURATION_TEXT_MAX + 40];
		duration_print(after, s->expires ? s->expires : flow->ttl);
		snprintf(label, sizeof label, " [style=dashed, label=\"%s\"]", after);
		edge(out, flow, i, s->expires_to, label);
	}
	buf_text(out, "}\n");
}
