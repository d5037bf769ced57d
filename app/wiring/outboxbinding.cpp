#include "app/wiring/outboxbinding.h"

#include "views/task/taskpage.h"

#include <QDateTime>

namespace foundry::app {

using realtime::Outbox;
using realtime::OutboxEntry;
using realtime::OutboxState;
using views::TaskPage;

namespace {

// With a link an answer takes milliseconds: nobody wants to see each command come and go.
constexpr std::chrono::milliseconds outboxbindingPatience(800);

bool outboxbindingIsOf(const OutboxEntry &entry, const TaskId &task)
{
    return entry.actor.name == QLatin1StringView("task") && !task.isEmpty() && entry.actor.key.value(4) == task.value;
}

} // namespace

OutboxBinding::OutboxBinding(TaskPage &page, realtime::HostClient &host, QObject *parent)
    : QObject(parent)
    , m_page(page)
    , m_host(host)
    , m_outbox(host.outbox())
{
    if (!m_outbox)
        return;
    m_soon.setSingleShot(true);
    m_soon.setInterval(0);
    m_later.setSingleShot(true);
    m_later.setInterval(outboxbindingPatience);
    connect(&m_soon, &QTimer::timeout, this, &OutboxBinding::refresh);
    connect(&m_later, &QTimer::timeout, this, &OutboxBinding::refresh);
    connect(m_outbox, &Outbox::changed, this, &OutboxBinding::changed);
    connect(m_outbox, &Outbox::removed, this, [this] { m_soon.start(); });
    connect(&host, &realtime::HostClient::stateChanged, this, [this] { m_soon.start(); });
    connect(&page, &TaskPage::taskChanged, this, &OutboxBinding::refresh);

    connect(&page, &TaskPage::dropUnsentRequested, m_outbox, &Outbox::remove);
    connect(&page, &TaskPage::sendAgainRequested, m_outbox, &Outbox::sendAgain);
    connect(&page, &TaskPage::takeBackRequested, this, [this](const RequestId &id) {
        const OutboxEntry *entry = m_outbox->find(id);
        const auto message = entry ? Outbox::messageOf(*entry) : std::nullopt;
        if (!message || !m_outbox->remove(id))
            return;
        m_page.restorePrompt(message->sessionId, message->prompt.text);
    });
}

void OutboxBinding::changed(const RequestId &id)
{
    m_soon.start();
    const OutboxEntry *entry = m_outbox->find(id);
    // A command that is refused while its task is on screen is said there, and has been read; an answer that came too late
    // has nothing to be done about. A message stays, as it is the user's work.
    if (entry && entry->state == OutboxState::Failed && entry->action != QLatin1StringView("sendMessage")
        && (entry->action == QLatin1StringView("answerPermission")
            || (outboxbindingIsOf(*entry, m_page.taskId()) && m_page.isVisible()))) {
        QMetaObject::invokeMethod(
            this, [this, id] { m_outbox->remove(id); }, Qt::QueuedConnection);
    }
}

OutboxItem OutboxBinding::itemOf(const OutboxEntry &entry) const
{
    OutboxItem item;
    item.id = entry.id;
    item.text = entry.label;
    item.error = entry.error;
    if (const auto message = Outbox::messageOf(entry)) {
        item.queueId = message->queueId;
        item.sessionId = message->sessionId;
        if (!message->prompt.blobId)
            item.text = message->prompt.text;
    }
    switch (entry.state) {
    case OutboxState::Queued:
        item.state = OutboxItemState::Queued;
        break;
    case OutboxState::Sent:
        item.state = OutboxItemState::Sent;
        break;
    case OutboxState::Accepted:
    case OutboxState::Done:
        item.state = OutboxItemState::Accepted;
        break;
    case OutboxState::Failed:
        item.state = OutboxItemState::Failed;
        break;
    case OutboxState::Uncertain:
        item.state = OutboxItemState::Uncertain;
        break;
    }
    return item;
}

void OutboxBinding::refresh()
{
    QList<OutboxItem> items;
    const Millis now = QDateTime::currentMSecsSinceEpoch();
    const bool live = m_host.connection().isLive();
    bool young = false;
    for (const OutboxEntry &entry : m_outbox->entries()) {
        if (!outboxbindingIsOf(entry, m_page.taskId()) || entry.state == OutboxState::Done)
            continue;
        const bool decided = entry.state == OutboxState::Failed || entry.state == OutboxState::Uncertain;
        if (live && !decided && now - entry.createdAt < outboxbindingPatience.count()) {
            young = true;
            continue;
        }
        items << itemOf(entry);
    }
    if (young)
        m_later.start();
    m_page.setOutbox(items);
}

} // namespace foundry::app
