// A GitJob whose answer is a Result<T> to one callback. For the operations' own files.
#pragma once

#include "backend/git/giterror.h"
#include "backend/git/gitguard.h"
#include "backend/git/gitoperations.h"

namespace foundry::backend {

template <class T>
class TypedGitJob : public GitJob {
protected:
    TypedGitJob(const GitEnvironment &git, int deadlineMs, QObject *context, GitDone<T> done)
        : GitJob(git, deadlineMs, context)
        , m_done(std::move(done))
    {
    }

    void answer(const Error &error) override
    {
        if (const GitDone<T> done = std::move(m_done))
            done(Result<T>(error));
    }
    void answerWith(T value)
    {
        succeed([this, &value] {
            if (const GitDone<T> done = std::move(m_done))
                done(Result<T>(std::move(value)));
        });
    }

    // Reads the configuration that holds in a folder; from then on every run of this job is guarded against it.
    void loadGuard(const QString &directory, std::function<void(const QList<ScopedSetting> &)> next)
    {
        GitCall call{directory, guardListArguments()};
        call.outputCap = 4 << 20;
        gitOk(QStringLiteral("read the repository's configuration"), std::move(call),
            [this, next = std::move(next)](const GitOutput &output) {
                const auto settings = parseScopedSettings(output.out());
                if (!settings)
                    return fail(settings.error());
                const auto guard = guardAgainst(*settings);
                if (!guard)
                    return fail(guard.error());
                m_guard = *guard;
                next(*settings);
            });
    }

private:
    GitDone<T> m_done;
};

} // namespace foundry::backend
