#include "views/composer/queuedlist.h"

#include "models/queuedpromptmodel.h"
#include "views/common/controls.h"

#include <QBoxLayout>

namespace foundry::views {

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
    for (int i = 0; m_queue && i < m_queue->count(); ++i) {
        const QueuedPrompt &queued = m_queue->at(i);
        if (queued.sessionId != m_session)
            continue;
        ++m_count;
        auto *row = new QWidget(this);
        row->setFixedHeight(32);
        auto *line = new QHBoxLayout(row);
        line->setContentsMargins(12, 0, 6, 0);
        line->setSpacing(8);
        const bool edited = queued.id == m_edited;
        line->addWidget(new IconLabel(m_theme, edited ? Icon::Pencil : Icon::Clock, edited ? &Colors::accentText : &Colors::textFaint, Space::icon, row));
        const QString text = queued.prompt.blobId ? tr("A long prompt") : queued.prompt.text.simplified();
        auto *label = new Label(m_theme, TextStyle::List, &Colors::textMuted, text, row);
        label->setElided(true);
        label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        line->addWidget(label, 1);
        auto *state = new Label(m_theme, TextStyle::Small, &Colors::textFaint, edited ? tr("Being edited") : tr("Queued"), row);
        line->addWidget(state);
        auto *edit = new IconButton(m_theme, Icon::Pencil, tr("Edit queued prompt"), row);
        edit->setExtent(24);
        edit->setEnabled(!queued.prompt.blobId && !edited);
        auto *drop = new IconButton(m_theme, Icon::X, tr("Remove queued prompt"), row);
        drop->setExtent(24);
        line->addWidget(edit);
        line->addWidget(drop);
        connect(edit, &IconButton::clicked, this, [this, id = queued.id, whole = queued.prompt.text] { Q_EMIT editRequested(id, whole); });
        connect(drop, &IconButton::clicked, this, [this, id = queued.id] { Q_EMIT dropRequested(id); });
        m_rows->addWidget(row);
        m_rows->addWidget(new Hairline(m_theme, Qt::Horizontal, this));
    }
    setVisible(m_count > 0);
    Q_EMIT countChanged(m_count);
}

} // namespace foundry::views
