#include "backend/actors/changesjob.h"

#include "backend/store/database.h"
#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <QLoggingCategory>
#include <QSet>

namespace foundry::backend {

Q_LOGGING_CATEGORY(lcChanges, "foundry.actors.changes")

namespace {

std::optional<ChangesHeader> changesHeader(ActorContext &context)
{
    auto entity = context.row(ChangesJob::topic(), QStringLiteral("ChangesHeader"), QStringLiteral("changes"));
    if (!entity)
        return std::nullopt;
    if (auto *header = std::get_if<ChangesHeader>(&*entity))
        return *header;
    return std::nullopt;
}

} // namespace

ChangesJob::ChangesJob(ActorContext &context, TaskStore &store, GitEnvironment git, std::function<void(Transaction &)> changed)
    : m_context(context)
    , m_store(store)
    , m_git(std::move(git))
    , m_changed(std::move(changed))
    , m_timer(new QTimer(context.owner()))
{
    m_timer->setSingleShot(true);
    QObject::connect(m_timer, &QTimer::timeout, m_timer, [this] { run(); });
}

QString ChangesJob::schema()
{
    return QStringLiteral("CREATE TABLE diffs (key TEXT PRIMARY KEY, page TEXT NOT NULL) WITHOUT ROWID;");
}

void ChangesJob::request(int delayMs)
{
    const auto task = m_store.task();
    if (!task || !task->workTree)
        return;
    if (m_running) {
        m_again = true;
        return;
    }
    if (!m_timer->isActive() || m_timer->remainingTime() > delayMs)
        m_timer->start(delayMs);
}

QString ChangesJob::base() const
{
    const QString named = m_store.creation()->baseBranch;
    return named.isEmpty() ? QString::fromUtf8(m_store.value(QStringLiteral("baseCommit"))) : named;
}

void ChangesJob::run()
{
    const auto task = m_store.task();
    if (m_running || !task || !task->workTree)
        return;
    m_running = true;
    m_again = false;
    auto marked = m_context.transaction([this](Transaction &tx) -> Result<> {
        ChangesHeader header = changesHeader(m_context).value_or(ChangesHeader{});
        header.refreshing = true;
        tx.setCause(Cause{QStringLiteral("workflow")});
        tx.put(topic(), header);
        return Unit{};
    });
    Q_UNUSED(marked); // a storage that fails is told by the end of the run
    ChangesRequest request;
    request.worktree = *task->workTree;
    request.base = base();
    computeChanges(m_git, request, m_context.owner(), [this](Result<Changes> changes) { finished(changes); });
}

void ChangesJob::finished(const Result<Changes> &changes)
{
    m_running = false;
    auto written = m_context.transaction([&](Transaction &tx) -> Result<> {
        tx.setCause(Cause{QStringLiteral("workflow")});
        tx.database().run("DELETE FROM diffs");
        if (!changes) {
            ChangesHeader header = changesHeader(m_context).value_or(ChangesHeader{});
            header.refreshing = false;
            header.at = QDateTime::currentMSecsSinceEpoch();
            header.error = changes.error();
            tx.put(topic(), header);
            return Unit{};
        }
        // A new turn since the last run: what moved before it is not "in the last turn" any more.
        qint64 turns = 0;
        for (const SessionState &state : m_store.states())
            turns += state.turns;
        const bool newTurn = QByteArray::number(turns) != m_store.value(QStringLiteral("changesTurn"));
        m_store.setValue(tx, QStringLiteral("changesTurn"), QByteArray::number(turns));
        QHash<QString, FileChange> before;
        for (const Entity &entity : m_context.rows(topic(), QStringLiteral("FileChange"))) {
            if (const auto *file = std::get_if<FileChange>(&entity))
                before.insert(file->id, *file);
        }
        qint64 dirty = 0;
        for (FileChange file : changes->files) {
            const auto known = before.constFind(file.id);
            file.inLastTurn = turns > 0;
            if (known != before.cend()) {
                FileChange same = *known;
                same.inLastTurn = file.inLastTurn;
                if (same == file)
                    file.inLastTurn = !newTurn && known->inLastTurn;
            }
            if (file.scope != ChangeScope::Committed)
                ++dirty;
            tx.put(topic(), file);
            before.remove(file.id);
        }
        for (const FileChange &gone : std::as_const(before))
            tx.remove(topic(), QStringLiteral("FileChange"), gone.id);
        ChangesHeader header = changes->header;
        header.id = QStringLiteral("changes");
        header.refreshing = false;
        header.at = QDateTime::currentMSecsSinceEpoch();
        if (changes->truncated)
            header.error = makeError(QLatin1StringView("git"), QLatin1StringView("truncated"),
                QStringLiteral("More files changed than are listed here (%1).").arg(changes->files.size()),
                QStringLiteral("Look at the rest in the work tree."));
        tx.put(topic(), header);
        QSet<QString> paths;
        for (const FileChange &file : changes->files)
            paths.insert(file.path);
        m_store.setValue(tx, QStringLiteral("diffStat"),
            QByteArray::number(qint64(paths.size())) + ' ' + QByteArray::number(changes->added) + ' '
                + QByteArray::number(changes->removed));
        if (auto task = m_store.task()) {
            task->git = TaskGit{header.head, header.mergeBase, header.ahead, header.behind, dirty > 0};
            tx.put(TaskStore::topic(), *task);
        }
        m_changed(tx);
        return Unit{};
    });
    if (!written)
        qCWarning(lcChanges, "changes were not written: %ls", qUtf16Printable(written.error().message));
    if (m_again)
        request(250);
}

std::optional<DiffStat> ChangesJob::stat() const
{
    const QList<QByteArray> parts = m_store.value(QStringLiteral("diffStat")).split(' ');
    if (parts.size() != 3)
        return std::nullopt;
    return DiffStat{parts.at(0).toLongLong(), parts.at(1).toLongLong(), parts.at(2).toLongLong()};
}

QString ChangesJob::keyOf(const GetDiff &asked)
{
    return asked.scope.text() + QLatin1Char('\n') + asked.path + QLatin1Char('\n') + asked.cursor.value_or(QString());
}

std::optional<QByteArray> ChangesJob::storedDiff(const GetDiff &asked) const
{
    auto q = m_context.database().query("SELECT page FROM diffs WHERE key = ?", keyOf(asked));
    return q.next() ? std::optional<QByteArray>(q.bytes(0)) : std::nullopt;
}

void ChangesJob::fetchDiff(const GetDiff &asked)
{
    QList<RequestId> &waiting = m_fetching[keyOf(asked)];
    waiting.append(asked.requestId);
    if (waiting.size() > 1)
        return;
    const auto task = m_store.task();
    FileDiffRequest request;
    request.path = asked.path;
    request.scope = asked.scope.valueOr(ChangeScope::Unstaged);
    request.cursor = asked.cursor;
    if (task && task->workTree)
        request.worktree = *task->workTree;
    if (const auto header = changesHeader(m_context))
        request.mergeBase = header->mergeBase.value_or(QString());
    const auto row = m_context.row(topic(), QStringLiteral("FileChange"), asked.scope.text() + QLatin1Char(':') + asked.path);
    if (row) {
        if (const auto *file = std::get_if<FileChange>(&*row))
            request.oldPath = file->oldPath;
    }
    if (request.worktree.isEmpty()) {
        DiffPage page;
        page.path = asked.path;
        page.error = makeError(QLatin1StringView("state"), QLatin1StringView("not_ready"),
            QStringLiteral("The work tree is not prepared yet."), QStringLiteral("Wait until the repository is prepared."));
        keepDiff(asked, protocol::encodeValue(page));
        return;
    }
    fileDiff(m_git, request, m_context.owner(), [this, asked](Result<DiffPage> found) {
        DiffPage page = found ? *found : DiffPage{};
        if (!found) {
            page.path = asked.path;
            page.error = found.error();
        }
        keepDiff(asked, protocol::encodeValue(page));
    });
}

void ChangesJob::keepDiff(const GetDiff &asked, const QByteArray &page)
{
    auto kept = m_context.transaction(
        [&](Transaction &tx) { return tx.database().run("INSERT OR REPLACE INTO diffs (key, page) VALUES (?, ?)", keyOf(asked), page); });
    if (!kept)
        qCWarning(lcChanges, "a diff was not kept: %ls", qUtf16Printable(kept.error().message));
    for (const RequestId &id : m_fetching.take(keyOf(asked))) {
        TopicEvent event;
        event.topic = topic();
        event.ready = ReadyNotice{id, asked.path};
        m_context.notify(event);
    }
}

} // namespace foundry::backend
