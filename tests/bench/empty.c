/*
 * empty.c - a program that does nothing: what starting and ending a process costs.
 */
int main(void)
{
    return 0;
}
