// foundry-runner: the built-in agent, spoken to over standard input and output (ACP version 1).
#include "backend/runner/runneragent.h"

#include <QCoreApplication>
#include <QSocketNotifier>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <unistd.h>

namespace {

int termPipe[2] = {-1, -1};

void onTerm(int)
{
    const char byte = 1;
    [[maybe_unused]] const ssize_t n = ::write(termPipe[1], &byte, 1);
}

} // namespace

int main(int argc, char **argv)
{
    QCoreApplication app(argc, argv);
    if (argc > 1) {
        const bool version = std::strcmp(argv[1], "--version") == 0;
        if (!version && std::strcmp(argv[1], "--help") != 0) {
            std::fprintf(stderr, "foundry-runner: unknown option %s; see --help\n", argv[1]);
            return 2;
        }
        std::puts(version ? "foundry-runner " FOUNDRY_VERSION
                          : "foundry-runner: the built-in agent of Foundry Workbench (no AI model).\n"
                            "It speaks the Agent Client Protocol, version 1, on standard input and output,\n"
                            "one JSON object per line. Any ACP client can start it; it has no options.");
        return 0;
    }

    foundry::runner::RpcChannel channel(STDIN_FILENO, STDOUT_FILENO);
    foundry::runner::RunnerAgent agent(channel);
    QObject::connect(&agent, &foundry::runner::RunnerAgent::ended, &app, &QCoreApplication::quit);

    // SIGTERM ends what runs before it ends the runner; a second one ends it at once.
    if (::pipe(termPipe) == 0) {
        auto *term = new QSocketNotifier(termPipe[0], QSocketNotifier::Read, &app);
        QObject::connect(term, &QSocketNotifier::activated, &agent, [term, &agent] {
            term->setEnabled(false);
            std::signal(SIGTERM, SIG_DFL);
            agent.shutDown();
        });
        std::signal(SIGTERM, onTerm);
        std::signal(SIGINT, onTerm);
    }
    return QCoreApplication::exec();
}
