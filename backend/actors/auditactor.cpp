#include "backend/actors/auditactor.h"

#include "backend/store/database.h"
#include "realtime/protocol/codec.h"
#include "realtime/protocol/messagelimits.h"

#include <limits>

namespace foundry::backend {

namespace {

constexpr qint64 kListLimit = 500;
constexpr qint64 kExportLimit = 2000;
// A page looks at this many events at most; one that found little says where to go on.
constexpr qint64 kLookedAt = 5000;

QByteArray auditactorLine(const AuditEvent &event)
{
    // The value is never empty: `at` and `kind` are always in it.
    return "{\"index\":" + QByteArray::number(event.index) + ',' + protocol::encodeEntity(event).sliced(1) + '\n';
}

bool auditactorPasses(const std::optional<QString> &wanted, const QString &value)
{
    return !wanted || *wanted == value;
}

} // namespace

QStringList AuditActor::migrations() const
{
    // What the filters ask for, beside the rows: each index ends with the rowid, so that a page is a walk along it.
    return {QStringLiteral("CREATE TABLE events(idx INTEGER PRIMARY KEY, task TEXT, repo TEXT, kind TEXT NOT NULL, user TEXT);"
                           "CREATE INDEX events_task ON events(task) WHERE task IS NOT NULL;"
                           "CREATE INDEX events_repo ON events(repo) WHERE repo IS NOT NULL;"
                           "CREATE INDEX events_kind ON events(kind);"
                           "CREATE INDEX events_user ON events(user) WHERE user IS NOT NULL;")};
}

void AuditActor::registerActions(ActionTable &table)
{
    table.read(QStringLiteral("list"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<ListAudit>(args);
        return asked ? list(*asked) : Result<QByteArray>(asked.error());
    });
    table.read(QStringLiteral("exportLines"), [this](const Caller &, QByteArrayView args) -> Result<QByteArray> {
        auto asked = protocol::decodeArgs<ExportAudit>(args);
        return asked ? exportLines(*asked) : Result<QByteArray>(asked.error());
    });
}

Result<> AuditActor::received(Transaction &tx, const Send &send)
{
    if (send.name != QLatin1StringView("event"))
        return Actor::received(tx, send);
    auto decoded = protocol::decodeEntity(u"AuditEvent", u"0", {}, send.json);
    if (!decoded)
        return decoded.error();
    auto *event = std::get_if<AuditEvent>(&*decoded);
    if (!event)
        return makeError(QLatin1StringView("input"), QLatin1StringView("invalid"), QStringLiteral("This is no audit event."));
    if (auto q = tx.database().query("SELECT coalesce(max(idx), -1) + 1 FROM events"); q.next())
        event->index = q.integer(0);
    auto kept = tx.database().run("INSERT INTO events(idx, task, repo, kind, user) VALUES(?, ?, ?, ?, ?)", event->index,
        event->taskId ? std::optional(event->taskId->value) : std::nullopt,
        event->repoId ? std::optional(event->repoId->value) : std::nullopt, event->kind, event->actorUser);
    if (!kept)
        return kept;
    tx.setCause(Cause{event->cause, {}, event->actorUser});
    tx.put(topic(), *event);
    return Unit{};
}

std::optional<AuditEvent> AuditActor::event(qint64 index) const
{
    const auto entity = context().row(topic(), QStringLiteral("AuditEvent"), QString::number(index));
    const auto *event = entity ? std::get_if<AuditEvent>(&*entity) : nullptr;
    return event ? std::optional(*event) : std::nullopt;
}

QList<qint64> AuditActor::matching(const ListAudit &asked, qint64 limit, std::optional<qint64> *next) const
{
    const AuditFilters &filters = asked.filters;
    const std::optional<QString> task = filters.taskId ? std::optional(filters.taskId->value) : std::nullopt;
    const std::optional<QString> repo = filters.repoId ? std::optional(filters.repoId->value) : std::nullopt;
    const qint64 before = asked.before.value_or(std::numeric_limits<qint64>::max());
    Database &database = context().database();
    // The filter that leaves least leads; the others look at its events only.
    Query q = task ? database.query("SELECT idx, task, repo, kind, user FROM events WHERE task = ? AND idx < ? "
                                    "ORDER BY idx DESC LIMIT ?", *task, before, kLookedAt + 1)
        : repo ? database.query("SELECT idx, task, repo, kind, user FROM events WHERE repo = ? AND idx < ? "
                                "ORDER BY idx DESC LIMIT ?", *repo, before, kLookedAt + 1)
        : filters.kind ? database.query("SELECT idx, task, repo, kind, user FROM events WHERE kind = ? AND idx < ? "
                                        "ORDER BY idx DESC LIMIT ?", *filters.kind, before, kLookedAt + 1)
        : filters.actorUser ? database.query("SELECT idx, task, repo, kind, user FROM events WHERE user = ? AND idx < ? "
                                             "ORDER BY idx DESC LIMIT ?", *filters.actorUser, before, kLookedAt + 1)
                            : database.query("SELECT idx, task, repo, kind, user FROM events WHERE idx < ? "
                                             "ORDER BY idx DESC LIMIT ?", before, kLookedAt + 1);
    QList<qint64> found;
    qint64 looked = 0;
    qint64 last = 0;
    while (q.next()) {
        if (found.size() == limit || looked == kLookedAt) {
            *next = last;
            break;
        }
        ++looked;
        last = q.integer(0);
        if (auditactorPasses(task, q.text(1)) && auditactorPasses(repo, q.text(2)) && auditactorPasses(filters.kind, q.text(3))
            && auditactorPasses(filters.actorUser, q.text(4)))
            found.append(last);
    }
    return found;
}

Result<QByteArray> AuditActor::list(const ListAudit &asked) const
{
    AuditPage page;
    const QList<qint64> indexes = matching(asked, qBound(qint64(1), asked.limit, kListLimit), &page.next);
    qsizetype bytes = 0;
    for (const qint64 index : indexes) {
        auto found = event(index);
        if (!found)
            continue;
        bytes += protocol::encodeEntity(*found).size() + 100;
        if (bytes > protocol::hostPageLimit && !page.events.isEmpty()) {
            page.next = page.events.last().index;
            break;
        }
        page.events.append(*found);
    }
    page.count = context().rowCount(topic());
    const TopicRevision at = context().revision(topic());
    page.revision = at.revision;
    page.generation = at.generation;
    return protocol::encodeValue(page);
}

Result<QByteArray> AuditActor::exportLines(const ExportAudit &asked) const
{
    AuditExport answer;
    QByteArray lines;
    qsizetype bytes = 0;
    qint64 last = asked.after.value_or(-1);
    const qint64 limit = qBound(qint64(1), asked.limit, kExportLimit);
    for (const Entity &entity : context().window(topic(), std::nullopt, last, limit)) {
        const auto *event = std::get_if<AuditEvent>(&entity);
        if (!event)
            continue;
        const QByteArray line = auditactorLine(*event);
        bytes += protocol::jsonTextSize(QString::fromUtf8(line)); // lines travel as one JSON string
        if (!lines.isEmpty() && bytes > protocol::hostPageLimit)
            break;
        lines += line;
        last = event->index;
    }
    answer.lines = QString::fromUtf8(lines);
    if (last + 1 < context().rowCount(topic()))
        answer.next = last;
    return protocol::encodeValue(answer);
}

} // namespace foundry::backend
