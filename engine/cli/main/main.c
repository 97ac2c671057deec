/* The program's entry: hands over to the table of commands.
 *
 * Place in the flow: first and last. Apart from the library so that tests can link all the rest. */
#include "engine/cli/cli.h"

int main(int argc, char **argv) {
    return fb_cli_main(argc, argv);
}
