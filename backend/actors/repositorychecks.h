// Looks at repositories that were added, and clones those that were given by address: in the background, as recorded
// steps, with progress, cancel and a sentence for every way it can go wrong.
#pragma once

#include "backend/actors/actorcontext.h"
#include "backend/git/gitoperations.h"
#include "backend/workflows/workflowrunner.h"
#include "models/types/topic.h"

#include <QPointer>
#include <QTimer>

namespace foundry::backend {

class RepositoryChecks {
public:
    // Its steps are run by the organization's one runner, which calls begin, abandon and failed for workflows of isOurs().
    RepositoryChecks(ActorContext &context, WorkflowRunner &runner, GitEnvironment git, QString cloneRoot,
        std::function<void(Transaction &)> changed);

    static QString schema();

    // From a folder, or from an address. Errors: input.invalid, state.conflict.
    Result<Repository> add(Transaction &tx, const RepoId &id, const std::optional<QString> &path, const std::optional<QString> &url);
    // One whose row was lost, found again by where a task has it; looked at anew. Nothing when it is here.
    void putBack(Transaction &tx, const RepoId &id, const QString &path);
    // Ends what runs for it and forgets it; its row goes.
    void remove(Transaction &tx, const RepoId &id);
    // Where git finds a repository that is ready.
    QString pathOf(const RepoId &id) const;
    // The user trusts what the repository itself would have git run, as it is at `version`. Errors: input/invalid,
    // state/conflict (it is another one by now).
    Result<Repository> trust(Transaction &tx, const RepoId &id, const QString &version);
    // The version that is trusted; empty: none.
    QString trusted(const RepoId &id) const;
    // After a start of the host: whether the user's checkouts have edits now.
    void lookAgain();

    static bool isOurs(const StepRecord &record) { return record.workflow.startsWith(QLatin1StringView("repository:")); }
    void begin(Transaction &tx, const StepRecord &record);
    void abandon(Transaction &tx, const StepRecord &record);
    void failed(Transaction &tx, const StepRecord &record);
    bool isBusy() const { return !m_jobs.isEmpty(); }

private:
    void cloneNow(const RepoId &id, qint64 attempt);
    void checkNow(const RepoId &id, qint64 attempt);
    void checked(const RepoId &id, qint64 attempt, const Result<RepositoryInfo> &info);
    void fail(const RepoId &id, const QString &step, qint64 attempt, const Error &error);
    void update(const RepoId &id, const std::function<void(Repository &)> &change);
    std::optional<Repository> row(const RepoId &id) const;

    ActorContext &m_context;
    WorkflowRunner &m_runner;
    GitEnvironment m_git;
    QString m_cloneRoot;
    std::function<void(Transaction &)> m_changed;
    QHash<QString, QPointer<GitJob>> m_jobs; // by repository
};

} // namespace foundry::backend
