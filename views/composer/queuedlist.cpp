#include "views/composer/queuedlist.h"

#include "models/queuedpromptmodel.h"
#include "views/common/controls.h"

#include <QBoxLayout>
#include <QSet>

#include <algorithm>

namespace foundry::views {

namespace {

constexpr int queuedlistShown = 6; // the transcript needs its place too

} // namespace

QueuedList::QueuedList(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_rows(new QVBoxLayout(this))
{
    m_rows->setContentsMargins(0, 0, 0, 0);
    m_rows->setSpacing(0);
    setAccessibleName(tr("Queued prompts"));
    hide();
}

void QueuedList::setQueue(QueuedPromptModel *queue)
{
    if (queue && m_queue == queue)
        return;
    if (m_queue)
        m_queue->disconnect(this);
    m_queue = queue;
    if (queue) {
        connect(queue, &QAbstractItemModel::rowsInserted, this, &QueuedList::rebuild);
        connect(queue, &QAbstractItemModel::rowsRemoved, this, &QueuedList::rebuild);
        connect(queue, &QAbstractItemModel::rowsMoved, this, &QueuedList::rebuild);
        connect(queue, &QAbstractItemModel::dataChanged, this, &QueuedList::rebuild);
        connect(queue, &QAbstractItemModel::modelReset, this, &QueuedList::rebuild);
    }
    rebuild();
}

void QueuedList::setSession(const SessionId &session)
{
    if (m_session == session)
        return;
    m_session = session;
    rebuild();
}

void QueuedList::setEdited(const QueueId &queued)
{
    if (m_edited == queued)
        return;
    m_edited = queued;
    rebuild();
}

void QueuedList::setOutbox(const QList<OutboxItem> &items)
{
    if (m_outbox == items)
        return;
    m_outbox = items;
    rebuild();
}

// A handful of rows that change when the user does something: made anew each time.
void QueuedList::rebuild()
{
    while (QLayoutItem *item = m_rows->takeAt(0)) {
        if (QWidget *row = item->widget()) {
            row->hide();
            row->deleteLater();
        }
        delete item;
    }
    m_count = 0;
    QSet<QueueId> shown;
    for (int i = 0; m_queue && i < m_queue->count(); ++i) {
        const QueuedPrompt &queued = m_queue->at(i);
        if (queued.sessionId != m_session)
            continue;
        const auto unsent = std::find_if(m_outbox.cbegin(), m_outbox.cend(), [&queued](const OutboxItem &item) { return item.queueId == queued.id; });
        addQueued(queued, unsent == m_outbox.cend() ? nullptr : &*unsent);
        shown.insert(queued.id);
    }
    qsizetype more = 0;
    for (const OutboxItem &item : std::as_const(m_outbox)) {
        if ((!item.sessionId.isEmpty() && item.sessionId != m_session) || shown.contains(item.queueId))
            continue;
        if (m_count < queuedlistShown)
            addUnsent(item);
        else
            ++more;
    }
    if (more > 0) {
        auto *rest = new Label(m_theme, TextStyle::Small, &Colors::textFaint, tr("and %n more", nullptr, int(more)), this);
        rest->setContentsMargins(12, 6, 12, 6);
        m_rows->addWidget(rest);
    }
    setVisible(m_count > 0);
    Q_EMIT countChanged(m_count);
}

QueuedList::Row QueuedList::addRow(
    Icon icon, ColorToken color, const QString &text, const QString &state, ColorToken stateColor, const QString &why)
{
    ++m_count;
    auto *row = new QWidget(this);
    auto *column = new QVBoxLayout(row);
    column->setContentsMargins(0, 0, 0, why.isEmpty() ? 0 : 6);
    column->setSpacing(0);
    auto *head = new QWidget(row);
    head->setFixedHeight(32);
    auto *line = new QHBoxLayout(head);
    line->setContentsMargins(12, 0, 6, 0);
    line->setSpacing(8);
    line->addWidget(new IconLabel(m_theme, icon, color, Space::icon, head));
    auto *label = new Label(m_theme, TextStyle::List, &Colors::textMuted, text, head);
    label->setElided(true);
    label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    line->addWidget(label, 1);
    line->addWidget(new Label(m_theme, TextStyle::Small, stateColor, state, head));
    column->addWidget(head);
    row->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Minimum);
    if (!why.isEmpty()) {
        auto *reason = new Label(m_theme, TextStyle::Small, &Colors::textMuted, why, row);
        reason->setWordWrap(true);
        reason->setContentsMargins(12 + Space::icon + 8, 0, 12, 0);
        column->addWidget(reason);
    }
    m_rows->addWidget(row);
    m_rows->addWidget(new Hairline(m_theme, Qt::Horizontal, this));
    return {head, line};
}

void QueuedList::addQueued(const QueuedPrompt &queued, const OutboxItem *unsent)
{
    const bool edited = queued.id == m_edited;
    Icon icon = edited ? Icon::Pencil : Icon::Clock;
    QString state = tr("Queued");
    if (edited) {
        state = tr("Being edited");
    } else if (unsent && unsent->state == OutboxItemState::Queued) {
        icon = Icon::CloudOff;
        state = tr("Kept here until the host is back");
    } else if (unsent && unsent->state == OutboxItemState::Sent) {
        icon = Icon::ArrowUp;
        state = tr("Sent, no answer yet");
    }
    const Row row = addRow(icon, edited ? &Colors::accentText : &Colors::textFaint,
        queued.prompt.blobId ? tr("A long prompt") : queued.prompt.text.simplified(), state, &Colors::textFaint, {});
    auto *edit = new IconButton(m_theme, Icon::Pencil, tr("Edit queued prompt"), row.widget);
    edit->setExtent(24);
    edit->setEnabled(!queued.prompt.blobId && !edited);
    auto *drop = new IconButton(m_theme, Icon::X, tr("Remove queued prompt"), row.widget);
    drop->setExtent(24);
    row.line->addWidget(edit);
    row.line->addWidget(drop);
    connect(edit, &IconButton::clicked, this, [this, id = queued.id, whole = queued.prompt.text] { Q_EMIT editRequested(id, whole); });
    connect(drop, &IconButton::clicked, this, [this, id = queued.id] { Q_EMIT dropRequested(id); });
}

void QueuedList::addUnsent(const OutboxItem &item)
{
    const QString text = item.text.simplified();
    const auto button = [this](const Row &row, const QString &words, const QString &tip) {
        auto *made = new Button(m_theme, words, ButtonLook::Ghost, row.widget);
        made->setSmall(true);
        made->setToolTip(tip);
        row.line->addWidget(made);
        return made;
    };
    const auto dropper = [this, id = item.id](const Row &row, const QString &name) {
        auto *drop = new IconButton(m_theme, Icon::X, name, row.widget);
        drop->setExtent(24);
        row.line->addWidget(drop);
        connect(drop, &IconButton::clicked, this, [this, id] { Q_EMIT dropUnsentRequested(id); });
    };
    switch (item.state) {
    case OutboxItemState::Queued:
        dropper(addRow(Icon::CloudOff, &Colors::textFaint, text, tr("Kept here until the host is back"), &Colors::textFaint, {}), tr("Take it back"));
        break;
    case OutboxItemState::Sent:
        addRow(Icon::ArrowUp, &Colors::textFaint, text, tr("Sent, no answer yet"), &Colors::textFaint, {});
        break;
    case OutboxItemState::Accepted:
        addRow(Icon::Check, &Colors::textFaint, text, tr("Accepted"), &Colors::textFaint, {});
        break;
    case OutboxItemState::Failed: {
        QString why = item.error ? item.error->message : tr("The host refused it.");
        if (item.error && !item.error->action.isEmpty())
            why += QLatin1Char(' ') + item.error->action;
        const Row row = addRow(Icon::CircleAlert, &Colors::red, text, tr("Failed"), &Colors::red, why);
        if (!item.queueId.isEmpty()) {
            connect(button(row, tr("Edit"), tr("Back into the prompt")), &Button::clicked, this,
                [this, id = item.id] { Q_EMIT takeBackRequested(id); });
        }
        dropper(row, tr("Drop it"));
        break;
    }
    case OutboxItemState::Uncertain: {
        const Row row = addRow(Icon::CircleQuestion, &Colors::amber, text, tr("Uncertain"), &Colors::amber,
            tr("Sent more than a week ago, and no answer came: nobody can tell whether it arrived. Look whether it took effect."));
        connect(button(row, tr("Send again"), tr("It takes effect twice if it had arrived")), &Button::clicked, this,
            [this, id = item.id] { Q_EMIT sendAgainRequested(id); });
        connect(button(row, tr("Drop"), {}), &Button::clicked, this, [this, id = item.id] { Q_EMIT dropUnsentRequested(id); });
        break;
    }
    }
}

} // namespace foundry::views
