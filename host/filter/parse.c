/*
 * parse.c: a filter's text into the ABI's tree.
 *
 *   filter   : [ and ]
 *   and      : or { [ "AND" ] or }             side by side means AND too
 *   or       : term { "OR" term }              OR binds tighter (AIP-160)
 *   term     : [ "NOT" | "-" ] simple
 *   simple   : "(" and ")" | field op value
 *
 * Recursion is bounded by FILTER_DEPTH_MAX. A node with one child is that
 * child, so the tree holds no empty levels.
 */
#include "filter/parts.h"

#include "base/str.h"

/* Children while their number is not known yet. */
struct item {
	const txw_filter *node;
	struct item *next;
};

struct items {
	struct item *first;
	struct item **last;
	uint32_t n;
};

static int32_t parse_and(struct parser *p, const txw_filter **out);

static txw_filter *new_node(struct parser *p, uint32_t kind)
{
	txw_filter *node = arena_alloc(p->arena, sizeof *node);
	node->size = sizeof *node;
	node->kind = kind;
	p->n_nodes++;
	return node;
}

static int32_t count_node(struct parser *p, size_t at)
{
	if (p->n_nodes <= FILTER_NODES_MAX)
		return 0;
	return lex_fail(p, at, "the filter has more than %d parts", FILTER_NODES_MAX);
}

static void add(struct parser *p, struct items *list, const txw_filter *node)
{
	struct item *item = arena_alloc(p->arena, sizeof *item);
	item->node = node;
	*list->last = item;
	list->last = &item->next;
	list->n++;
}

static const txw_filter *join(struct parser *p, uint32_t kind, const struct items *list)
{
	if (list->n == 1)
		return list->first->node;
	txw_filter *node = new_node(p, kind);
	const txw_filter **children = arena_alloc(p->arena, list->n * sizeof *children);
	for (const struct item *i = list->first; i; i = i->next)
		children[node->n_children++] = i->node;
	node->children = children;
	return node;
}

static int32_t parse_test(struct parser *p, const txw_filter **out)
{
	struct dotted name;
	struct value value;
	uint32_t op = 0;
	int32_t rc = lex_field(p, &name);
	if (rc < 0)
		return rc;
	struct field field;
	if ((rc = check_field(p, &name, &field)) < 0 || (rc = lex_op(p, &name, &op)) < 0 ||
	    (rc = lex_value(p, &value)) < 0)
		return rc;
	txw_filter *node = new_node(p, TXW_F_TEST);
	*out = node;
	rc = check_test(p, &field, op, &value, node);
	return rc < 0 ? rc : count_node(p, name.at);
}

static int32_t parse_group(struct parser *p, size_t opened, const txw_filter **out)
{
	int32_t rc = parse_and(p, out);
	if (rc < 0)
		return rc;
	if (!lex_char(p, ')'))
		return lex_fail(p, opened, "this ( is never closed, found %s instead",
				lex_found(p, p->pos));
	return 0;
}

static int32_t parse_term(struct parser *p, const txw_filter **out)
{
	lex_space(p);
	size_t at = p->pos;
	bool is_not = lex_keyword(p, "NOT") || lex_char(p, '-');
	bool is_group = !is_not && lex_char(p, '(');
	if (!is_not && !is_group)
		return parse_test(p, out);
	if (++p->depth > FILTER_DEPTH_MAX)
		return lex_fail(p, at, "nested more than %d deep", FILTER_DEPTH_MAX);
	int32_t rc = is_group ? parse_group(p, at, out) : parse_term(p, out);
	p->depth--;
	if (rc < 0 || is_group)
		return rc;
	struct items one = {.last = &one.first};
	add(p, &one, *out);
	txw_filter *node = new_node(p, TXW_F_NOT);
	const txw_filter **child = arena_alloc(p->arena, sizeof *child);
	*child = *out;
	node->children = child;
	node->n_children = 1;
	*out = node;
	return count_node(p, at);
}

static int32_t parse_or(struct parser *p, const txw_filter **out)
{
	struct items list = {.last = &list.first};
	size_t at = p->pos;
	do {
		const txw_filter *node;
		int32_t rc = parse_term(p, &node);
		if (rc < 0)
			return rc;
		add(p, &list, node);
	} while (lex_keyword(p, "OR"));
	*out = join(p, TXW_F_OR, &list);
	return count_node(p, at);
}

static int32_t parse_and(struct parser *p, const txw_filter **out)
{
	struct items list = {.last = &list.first};
	size_t at = p->pos;
	for (;;) {
		const txw_filter *node;
		int32_t rc = parse_or(p, &node);
		if (rc < 0)
			return rc;
		add(p, &list, node);
		if (lex_keyword(p, "AND"))
			continue;
		lex_space(p);
		if (lex_at_end(p) || p->text.ptr[p->pos] == ')')
			break;
	}
	*out = join(p, TXW_F_AND, &list);
	return count_node(p, at);
}

static uint32_t depth_of(const txw_filter *f)
{
	uint32_t most = 0;
	for (uint32_t i = 0; i < f->n_children; i++) {
		uint32_t d = depth_of(f->children[i]);
		most = d > most ? d : most;
	}
	return most + 1;
}

int32_t filter_parse(struct arena *a, txw_str text, enum filter_scope scope, txw_time now,
		     const txw_filter **out, struct err *e)
{
	struct parser p = {.text = text, .arena = a, .err = e, .scope = scope, .now = now};
	*out = NULL;
	if (text.len > FILTER_TEXT_MAX)
		return err_set(e, TXW_E_INVALID, "the filter is %zu bytes long; at most %d",
			       text.len, FILTER_TEXT_MAX);
	if (!str_utf8(text))
		return err_set(e, TXW_E_INVALID, "the filter is not UTF-8 text");
	/* What the tree points at must live as long as the tree. */
	p.text = arena_str(a, text);
	lex_space(&p);
	if (lex_at_end(&p))
		return 0;
	const txw_filter *tree;
	int32_t rc = parse_and(&p, &tree);
	if (rc < 0)
		return rc;
	if (!lex_at_end(&p))
		return lex_fail(&p, p.pos, "this ) closes nothing");
	if (depth_of(tree) > FILTER_DEPTH_MAX)
		return lex_fail(&p, 0, "nested more than %d deep", FILTER_DEPTH_MAX);
	*out = tree;
	return 0;
}

const txw_filter *filter_and_equal(struct arena *a, const txw_filter *filter, uint32_t field,
				   txw_str text)
{
	struct parser p = {.arena = a};
	struct items list = {.last = &list.first};
	txw_filter *test = new_node(&p, TXW_F_TEST);
	test->op = TXW_F_EQ;
	test->field = field;
	test->text = arena_str(a, text);
	if (filter)
		add(&p, &list, filter);
	add(&p, &list, test);
	return join(&p, TXW_F_AND, &list);
}
