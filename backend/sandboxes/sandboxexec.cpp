#include "backend/sandboxes/sandboxexec.h"

namespace foundry::backend {

Result<SandboxExecResult> sandboxExecResult(const QString &program, const ChildOutcome &outcome)
{
    const auto error = [&](const char *code, const QString &message, const QString &action) {
        return makeError(QLatin1StringView("sandbox"), QLatin1StringView(code), message, action, QString::fromUtf8(outcome.errorTail));
    };
    const QString again = QStringLiteral("See its output, then try again.");
    switch (outcome.end) {
    case ChildEnd::Exited:
        return SandboxExecResult{outcome.exitCode, outcome.output, outcome.errorTail};
    case ChildEnd::Crashed:
        return error("failed", QStringLiteral("%1 was ended by signal %2.").arg(program).arg(outcome.signal), again);
    case ChildEnd::FailedToStart:
        return error("failed", QStringLiteral("%1 cannot be started: %2.").arg(program, outcome.startError),
            QStringLiteral("Install it, or name it with its whole path."));
    case ChildEnd::Cancelled:
        return error("cancelled", QStringLiteral("%1 was cancelled.").arg(program), {});
    case ChildEnd::Deadline:
    case ChildEnd::IdleDeadline:
        return error("deadline", QStringLiteral("%1 did not end within %2 s.").arg(program).arg(double(outcome.elapsedMs) / 1000, 0, 'f', 1), again);
    case ChildEnd::OutputCap:
        return error("failed", QStringLiteral("%1 said more than %2 bytes.").arg(program).arg(outcome.output.size()), QStringLiteral("Let it write into a file."));
    }
    return error("failed", QStringLiteral("%1 ended in an unknown way.").arg(program), again);
}

} // namespace foundry::backend
