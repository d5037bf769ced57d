#include "views/diff/changespanel.h"

#include "models/changesmodel.h"
#include "views/common/asoflabel.h"
#include "views/common/controls.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/diff/changeslist.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>

namespace foundry::views {

ChangesPanel::ChangesPanel(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 0);
    page->setSpacing(0);

    auto *bar = new QHBoxLayout;
    bar->setContentsMargins(16, 0, 8, 0);
    bar->setSpacing(8);
    bar->addWidget(new Label(theme, TextStyle::ListSemiBold, &Colors::text, tr("Changes"), this));
    m_added = new Label(theme, TextStyle::MonoSmall, &Colors::green, {}, this);
    m_removed = new Label(theme, TextStyle::MonoSmall, &Colors::red, {}, this);
    m_refresh = new IconButton(theme, Icon::Refresh, tr("Read the changes again"), this);
    bar->addWidget(m_added);
    bar->addWidget(m_removed);
    bar->addStretch(1);
    bar->addWidget(m_refresh);
    auto *barHolder = new QWidget(this);
    barHolder->setFixedHeight(40);
    barHolder->setLayout(bar);
    page->addWidget(barHolder);
    page->addWidget(new Hairline(theme, Qt::Horizontal, this));

    auto *scopes = new QHBoxLayout;
    scopes->setContentsMargins(8, 8, 8, 0);
    scopes->setSpacing(4);
    m_sinceBase = new Button(theme, tr("Since base"), ButtonLook::Ghost, this);
    m_uncommitted = new Button(theme, tr("Uncommitted"), ButtonLook::Ghost, this);
    for (Button *button : {m_sinceBase, m_uncommitted}) {
        button->setCheckable(true);
        button->setSmall(true);
        scopes->addWidget(button);
    }
    m_sinceBase->setChecked(true);
    m_sinceBase->setToolTip(tr("All that differs from where the branch began"));
    m_uncommitted->setToolTip(tr("Staged, unstaged and untracked files"));
    scopes->addStretch(1);
    page->addLayout(scopes);

    m_words = new QLineEdit(this);
    m_words->setPlaceholderText(tr("Filter files"));
    m_words->setAccessibleName(tr("Filter changed files"));
    m_words->setClearButtonEnabled(true);
    m_words->installEventFilter(this);
    auto *wordsRow = new QHBoxLayout;
    wordsRow->setContentsMargins(12, 8, 12, 8);
    wordsRow->addWidget(m_words);
    page->addLayout(wordsRow);

    m_filter = new ChangesFilter(this);
    m_list = new QListView(this);
    m_list->setModel(m_filter);
    m_list->setItemDelegate(new ChangesDelegate(theme, m_list));
    m_list->setUniformItemSizes(true);
    m_list->setFrameShape(QFrame::NoFrame);
    m_list->setMouseTracking(true);
    m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    m_list->setVerticalScrollMode(QAbstractItemView::ScrollPerPixel);
    m_list->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_list->setAccessibleName(tr("Changed files"));
    m_list->viewport()->setAutoFillBackground(false);
    page->addWidget(m_list, 1);

    m_empty = new QWidget(this);
    auto *column = new QVBoxLayout(m_empty);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(4);
    m_emptyTitle = new Label(theme, TextStyle::ListSemiBold, &Colors::textMuted, {}, m_empty);
    m_emptyDetail = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, m_empty);
    m_emptyTitle->setAlignment(Qt::AlignHCenter);
    m_emptyDetail->setAlignment(Qt::AlignHCenter);
    m_emptyDetail->setWordWrap(true);
    column->addStretch(1);
    column->addWidget(m_emptyTitle);
    column->addWidget(m_emptyDetail);
    column->addStretch(2);
    page->addWidget(m_empty, 1);

    m_foot = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, this);
    m_asOf = new AsOfLabel(theme, this);
    auto *foot = new QHBoxLayout;
    foot->setContentsMargins(16, 6, 16, 8);
    foot->setSpacing(8);
    foot->addWidget(m_foot, 1);
    foot->addWidget(m_asOf);
    page->addLayout(foot);

    connect(m_sinceBase, &Button::clicked, this, [this] { setUncommittedOnly(false); });
    connect(m_uncommitted, &Button::clicked, this, [this] { setUncommittedOnly(true); });
    connect(m_words, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_filter->setWords(text.trimmed());
        updateState();
    });
    connect(m_list, &QListView::clicked, this, &ChangesPanel::activate);
    connect(m_list, &QListView::activated, this, &ChangesPanel::activate);
    connect(m_refresh, &IconButton::clicked, this, &ChangesPanel::refreshRequested);
    connect(m_filter, &QAbstractItemModel::rowsInserted, this, &ChangesPanel::updateState);
    connect(m_filter, &QAbstractItemModel::rowsRemoved, this, &ChangesPanel::updateState);
    connect(m_filter, &QAbstractItemModel::modelReset, this, &ChangesPanel::updateState);
    connect(m_filter, &QAbstractItemModel::dataChanged, this, &ChangesPanel::updateState);
    updateState();
}

void ChangesPanel::setChanges(ChangesModel *changes)
{
    if (changes && changes == m_changes)
        return;
    if (m_changes)
        m_changes->disconnect(this);
    m_changes = changes;
    m_filter->setSourceModel(changes);
    if (changes) {
        connect(changes, &ChangesModel::headerChanged, this, &ChangesPanel::updateState);
        connect(changes, &ListModelBase::readyChanged, this, &ChangesPanel::updateState);
    }
    m_asOf->setModels({changes});
    updateState();
}

void ChangesPanel::setConnected(bool connected)
{
    m_connected = connected;
    updateState();
}

void ChangesPanel::setUncommittedOnly(bool only)
{
    m_sinceBase->setChecked(!only);
    m_uncommitted->setChecked(only);
    m_filter->setUncommittedOnly(only);
    updateState();
}

void ChangesPanel::activate(const QModelIndex &index)
{
    if (!index.isValid())
        return;
    const auto change = index.data(ListModelBase::ValueRole).value<FileChange>();
    Q_EMIT fileActivated(change.path, change.scope.valueOr(ChangeScope::Unstaged));
}

// From the filter, Down goes into the list, Enter opens the first hit, Escape empties it.
bool ChangesPanel::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_words && event->type() == QEvent::KeyPress) {
        const auto *key = static_cast<QKeyEvent *>(event);
        if (key->key() == Qt::Key_Down) {
            m_list->setFocus(Qt::TabFocusReason);
            if (!m_list->currentIndex().isValid())
                m_list->setCurrentIndex(m_filter->index(0, 0));
            return true;
        }
        if (key->key() == Qt::Key_Return || key->key() == Qt::Key_Enter) {
            activate(m_filter->index(0, 0));
            return true;
        }
        if (key->key() == Qt::Key_Escape && !m_words->text().isEmpty()) {
            m_words->clear();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

void ChangesPanel::updateState()
{
    const bool ready = m_changes && m_changes->isReady();
    const int shown = m_filter->rowCount();
    const DiffStat total = ready ? m_changes->total() : DiffStat{};
    m_added->setText(total.files > 0 ? addedText(total.added) : QString());
    m_removed->setText(total.files > 0 ? removedText(total.removed) : QString());
    m_list->setVisible(shown > 0);
    m_empty->setVisible(shown == 0);
    m_words->setVisible(m_changes && m_changes->count() > 0);

    const ChangesHeader header = m_changes ? m_changes->header() : ChangesHeader{};
    if (header.error) {
        m_emptyTitle->setText(header.error->message);
        m_emptyDetail->setText(header.error->action);
    } else if (!ready && !m_connected) {
        m_emptyTitle->setText(tr("Not on this computer yet"));
        m_emptyDetail->setText(tr("The changes of this task were not opened while the host was there. They are read as soon as it can be reached."));
    } else if (!ready) {
        m_emptyTitle->setText(tr("Reading the changes…"));
        m_emptyDetail->setText({});
    } else if (m_changes->count() == 0 && header.at == 0) {
        m_emptyTitle->setText(tr("No changes to show yet"));
        m_emptyDetail->setText(tr("They appear when the work tree is there."));
    } else if (m_changes->count() == 0) {
        m_emptyTitle->setText(tr("Nothing changed"));
        m_emptyDetail->setText(tr("Files that the agent edits show up here."));
    } else {
        m_emptyTitle->setText(tr("No file matches"));
        m_emptyDetail->setText(m_words->text().isEmpty() ? tr("All changes are committed.") : tr("Change the filter or the scope."));
    }
    m_refresh->setEnabled(m_changes && !header.refreshing && m_connected);
    m_refresh->setToolTip(m_connected ? tr("Read the changes again") : tr("The work tree is read again when the host can be reached"));
    if (header.refreshing && m_connected)
        m_foot->setText(tr("Reading the work tree…"));
    else if (header.at > 0)
        m_foot->setText(tr("%1 · read %2").arg(total.files == 1 ? tr("1 file") : tr("%n files", nullptr, int(total.files)),
            clockTime(header.at, QDateTime::currentMSecsSinceEpoch())));
    else
        m_foot->clear();
    m_foot->setToolTip(header.at > 0 ? exactTime(header.at) : QString());
}

} // namespace foundry::views
