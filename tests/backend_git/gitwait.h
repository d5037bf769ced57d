// Lets a test wait for one git operation.
#pragma once

#include "backend/git/gitoperations.h"
#include "tests/support/gitfixture.h"

#include <QDeadlineTimer>
#include <QTest>

#include <optional>

namespace foundry::test {

// start(context, done) begins the operation. Fatal when no answer comes.
template <class T, class Start>
Result<T> waitFor(Start start, int timeoutMs = 60000)
{
    QObject context;
    std::optional<Result<T>> answer;
    int answers = 0;
    start(&context, [&](Result<T> result) {
        answer = std::move(result);
        ++answers;
    });
    if (answers != 0)
        qFatal("the answer came from inside the call");
    const QDeadlineTimer deadline(timeoutMs);
    while (!answer && !deadline.hasExpired())
        QTest::qWait(1);
    if (!answer)
        qFatal("no answer within %d ms", timeoutMs);
    QTest::qWait(1); // a second answer would come now
    if (answers != 1)
        qFatal("%d answers", answers);
    return *answer;
}

inline backend::GitEnvironment gitFor(const GitFixture &fixture)
{
    backend::GitEnvironment git;
    git.environment = backend::cleanGitEnvironment(fixture.environment());
    return git;
}

inline QString describe(const Error &error)
{
    return error.key() + QStringLiteral(": ") + error.message + QStringLiteral(" | ") + error.action + QStringLiteral(" | ") + error.detail;
}

#define VERIFY_OK(result) QVERIFY2((result).ok(), qPrintable((result).ok() ? QString() : foundry::test::describe((result).error())))
#define VERIFY_CODE(result, wanted)                                                                                                \
    do {                                                                                                                           \
        QVERIFY2(!(result).ok(), "it went well");                                                                                  \
        QVERIFY2((result).error().code == QLatin1StringView(wanted), qPrintable(foundry::test::describe((result).error())));       \
    } while (false)

inline Result<backend::RepositoryInfo> inspect(const backend::GitEnvironment &git, const QString &path)
{
    return waitFor<backend::RepositoryInfo>([&](QObject *context, auto done) { backend::inspectRepository(git, path, context, done); });
}
inline Result<backend::WorktreeInfo> add(const backend::GitEnvironment &git, const backend::AddWorktreeRequest &request)
{
    return waitFor<backend::WorktreeInfo>([&](QObject *context, auto done) { backend::addWorktree(git, request, context, done); });
}
inline Result<Unit> remove(const backend::GitEnvironment &git, const backend::RemoveWorktreeRequest &request)
{
    return waitFor<Unit>([&](QObject *context, auto done) { backend::removeWorktree(git, request, context, done); });
}
inline Result<backend::Changes> changes(const backend::GitEnvironment &git, const backend::ChangesRequest &request)
{
    return waitFor<backend::Changes>([&](QObject *context, auto done) { backend::computeChanges(git, request, context, done); });
}
inline Result<Unit> record(const backend::GitEnvironment &git, const QString &worktree, const QString &file)
{
    return waitFor<Unit>([&](QObject *context, auto done) { backend::recordWorkTree(git, worktree, file, context, done); });
}
inline Result<DiffPage> diff(const backend::GitEnvironment &git, const backend::FileDiffRequest &request)
{
    return waitFor<DiffPage>([&](QObject *context, auto done) { backend::fileDiff(git, request, context, done); });
}
inline Result<backend::CloneInfo> clone(const backend::GitEnvironment &git, const backend::CloneRequest &request)
{
    return waitFor<backend::CloneInfo>([&](QObject *context, auto done) { backend::cloneRepository(git, request, context, done); });
}

} // namespace foundry::test
