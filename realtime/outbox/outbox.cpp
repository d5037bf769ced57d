#include "realtime/outbox/outbox.h"

#include "realtime/protocol/codec.h"

#include <QDateTime>
#include <algorithm>

namespace foundry::realtime {

namespace {

constexpr Millis outboxFailedFor = qint64(30) * 24 * 3600 * 1000; // then nobody wants to read of it any more

} // namespace

Outbox::Outbox(const QString &path, QObject *parent)
    : QObject(parent)
    , m_store(std::make_unique<OutboxStore>(path))
{
    m_draftTimer.setSingleShot(true);
    m_draftTimer.setInterval(std::chrono::milliseconds(200));
    connect(&m_draftTimer, &QTimer::timeout, this, &Outbox::flushDrafts);
    m_thread.post([this] {
        QMetaObject::invokeMethod(
            this, [this, content = m_store->load()] { take(content); }, Qt::QueuedConnection);
    });
}

Outbox::~Outbox()
{
    flushDrafts();
}

void Outbox::run(QObject *context, std::function<void(Result<>)> then, std::function<Result<>(OutboxStore &)> work)
{
    m_thread.post([this, context = QPointer<QObject>(context), then = std::move(then), work = std::move(work)] {
        // Delivered to the outbox itself, which outlives its thread; only there it is known whether the context lives.
        QMetaObject::invokeMethod(
            this,
            [this, context, then, result = work(*m_store)] {
                if (!result)
                    Q_EMIT noticed(result.error());
                if (context && then)
                    then(result);
            },
            Qt::QueuedConnection);
    });
}

void Outbox::take(OutboxContent content)
{
    if (content.problem)
        Q_EMIT noticed(*content.problem);
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    QList<OutboxEntry> before;
    for (OutboxEntry &entry : content.entries) {
        if (find(entry.id))
            continue; // given in this run, before the file was read
        if (entry.state == OutboxState::Sent && now - entry.sentAt > repeatableFor) {
            entry.state = OutboxState::Uncertain;
            store(entry);
        }
        if (entry.state == OutboxState::Failed && now - entry.createdAt > outboxFailedFor) {
            run(this, {}, [id = entry.id](OutboxStore &disk) { return disk.remove(id); });
            continue;
        }
        before << entry;
    }
    m_entries = before + m_entries;
    m_restored = true;
    for (const UpdateDraft &draft : std::as_const(content.drafts)) {
        if (m_drafts.contains(draft.sessionId))
            continue; // written in this run already
        m_drafts.insert(draft.sessionId, draft);
        Q_EMIT draftRestored(draft);
    }
    Q_EMIT restored();
    for (const OutboxEntry &entry : std::as_const(before))
        Q_EMIT changed(entry.id);
}

OutboxEntry *Outbox::entry(const RequestId &id)
{
    const auto found = std::find_if(m_entries.begin(), m_entries.end(), [&id](const OutboxEntry &one) { return one.id == id; });
    return found == m_entries.end() ? nullptr : &*found;
}

const OutboxEntry *Outbox::find(const RequestId &id) const
{
    const auto found = std::find_if(m_entries.cbegin(), m_entries.cend(), [&id](const OutboxEntry &one) { return one.id == id; });
    return found == m_entries.cend() ? nullptr : &*found;
}

void Outbox::store(const OutboxEntry &entry)
{
    run(this, {}, [entry](OutboxStore &disk) { return disk.update({entry}); });
}

void Outbox::add(
    OutboxEntry given, const std::optional<UpdateDraft> &draft, QObject *context, std::function<void(Result<>)> then)
{
    given.createdAt = QDateTime::currentMSecsSinceEpoch();
    if (given.state == OutboxState::Sent)
        given.sentAt = given.createdAt;
    if (draft) {
        m_drafts.insert(draft->sessionId, *draft);
        m_unsaved.remove(draft->sessionId);
    }
    m_entries << given;
    run(context, std::move(then), [given, draft](OutboxStore &disk) { return disk.add(given, draft); });
    Q_EMIT changed(given.id);
}

void Outbox::markSent(const QList<RequestId> &ids, QObject *context, std::function<void(Result<>)> then)
{
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    QList<OutboxEntry> marked;
    for (const RequestId &id : ids) {
        OutboxEntry *one = entry(id);
        if (!one || (one->state != OutboxState::Queued && one->state != OutboxState::Sent))
            continue;
        if (one->sentAt == 0)
            one->sentAt = now;
        one->state = now - one->sentAt > repeatableFor ? OutboxState::Uncertain : OutboxState::Sent;
        marked << *one;
    }
    run(context, std::move(then), [marked](OutboxStore &disk) { return disk.update(marked); });
    for (const OutboxEntry &one : std::as_const(marked))
        Q_EMIT changed(one.id);
}

void Outbox::accept(const RequestId &id)
{
    OutboxEntry *one = entry(id);
    if (!one)
        return;
    one->state = OutboxState::Accepted;
    // The host has it: nothing is left that a crash could lose.
    run(this, {}, [id](OutboxStore &disk) { return disk.remove(id); });
    Q_EMIT changed(id);
}

void Outbox::finish(const RequestId &id)
{
    if (OutboxEntry *one = entry(id)) {
        one->state = OutboxState::Done;
        Q_EMIT changed(id);
        takeOut(id);
    }
}

void Outbox::fail(const RequestId &id, const Error &error)
{
    OutboxEntry *one = entry(id);
    if (!one)
        return;
    one->state = OutboxState::Failed;
    one->error = error;
    store(*one);
    Q_EMIT changed(id);
}

void Outbox::takeOut(RequestId id)
{
    m_entries.removeIf([&id](const OutboxEntry &one) { return one.id == id; });
    Q_EMIT removed(id);
}

bool Outbox::edit(const RequestId &id, const QByteArray &args, const QString &label)
{
    OutboxEntry *one = entry(id);
    if (!one || one->state != OutboxState::Queued)
        return false;
    one->args = args;
    one->label = label;
    store(*one);
    Q_EMIT changed(id);
    return true;
}

std::optional<SendMessage> Outbox::messageOf(const OutboxEntry &entry)
{
    if (entry.action != QLatin1StringView("sendMessage"))
        return std::nullopt;
    auto message = protocol::decodeArgs<SendMessage>(entry.args);
    return message ? std::optional<SendMessage>(*message) : std::nullopt;
}

bool Outbox::editMessage(const RequestId &id, const QString &text)
{
    const OutboxEntry *one = find(id);
    auto message = one ? messageOf(*one) : std::nullopt;
    if (!message)
        return false;
    message->prompt = Prompt{text};
    return edit(id, protocol::encodeArgs(*message), text.simplified().left(80));
}

bool Outbox::remove(const RequestId &id)
{
    const OutboxEntry *one = find(id);
    if (!one || one->state == OutboxState::Sent || one->state == OutboxState::Accepted)
        return false;
    run(this, {}, [id](OutboxStore &disk) { return disk.remove(id); });
    takeOut(id);
    return true;
}

bool Outbox::sendAgain(const RequestId &id)
{
    OutboxEntry *one = entry(id);
    if (!one || one->state != OutboxState::Uncertain)
        return false;
    one->state = OutboxState::Queued;
    one->sentAt = 0;
    store(*one);
    Q_EMIT changed(id);
    return true;
}

void Outbox::setDraft(const UpdateDraft &draft)
{
    m_drafts.insert(draft.sessionId, draft);
    m_unsaved.insert(draft.sessionId, draft);
    if (!m_draftTimer.isActive()) // who goes on typing has it saved all the same
        m_draftTimer.start();
}

const UpdateDraft *Outbox::draft(const SessionId &session) const
{
    const auto found = m_drafts.constFind(session);
    return found == m_drafts.cend() ? nullptr : &*found;
}

void Outbox::confirmDraft(const UpdateDraft &draft)
{
    const UpdateDraft *latest = this->draft(draft.sessionId);
    if (!latest || latest->draft != draft.draft)
        return;
    m_drafts.remove(draft.sessionId);
    m_unsaved.remove(draft.sessionId);
    run(this, {}, [session = draft.sessionId](OutboxStore &disk) { return disk.dropDraft(session); });
}

void Outbox::flushDrafts()
{
    m_draftTimer.stop();
    if (m_unsaved.isEmpty())
        return;
    const QList<UpdateDraft> unsaved = m_unsaved.values();
    m_unsaved.clear();
    run(this, {}, [unsaved](OutboxStore &disk) { return disk.saveDrafts(unsaved); });
}

void Outbox::flush(QObject *context, std::function<void(Result<>)> then)
{
    flushDrafts();
    run(context, std::move(then), [](OutboxStore &) -> Result<> { return Unit{}; });
}

} // namespace foundry::realtime
