/* absent.c: a library that notifier.nolibrary is linked to and never finds. */
int txwatch_absent(void);

int txwatch_absent(void)
{
	return 0;
}
