// The one icon set (Lucide, see resources/icons): 16 px on the grid, 1.5 px stroke, tinted with a token. Renderings are
// kept by icon, colour, size and device pixel ratio. GUI thread; owned by ThemeProvider.
#pragma once

#include <QColor>
#include <QHash>
#include <QIcon>
#include <QPixmap>
#include <QRect>

class QPainter;

namespace foundry::views {

enum class Icon {
    Activity, Archive, ArrowDown, ArrowUp, At, Bell, Board, BookOpen, Bot, Brain, Check, ChevronDown, ChevronLeft,
    ChevronRight, ChevronUp, ChevronsUpDown, Circle, CircleAlert, CircleCheck, CircleDashed, CircleDot, CirclePause,
    CircleQuestion, CircleStop, CircleX, Clock, CloudOff, Columns, Copy, CornerDownLeft, Cpu, Dot, Download, Ellipsis,
    ExternalLink, Eye, File, FileDiff, FileMinus, FilePlus, FileText, Filter, Fold, Folder, FolderGit, FolderOpen,
    FolderPlus, GitBranch, GitCommit, GitMerge, GitPullRequest, Globe, HardDrive, History, Home, Image, Inbox, Info, Key,
    Link, ListChecks, ListTodo, ListTree, Loader, Lock, LogIn, Mail, MailOpen, Message, Minus, Monitor, Moon, Move,
    PanelLeft, PanelRight, Paperclip, Pencil, Play, Plug, Plus, Refresh, Retry, Rows, Search, Server, Settings,
    ShieldCheck, ShieldQuestion, Slash, Sliders, Square, Sun, Terminal, Trash, TriangleAlert, Undo, Unfold, User, WifiOff,
    Wrench, X, Zap
};

class Icons {
public:
    // `size` in logical pixels. Null only when the resource is missing.
    QPixmap pixmap(Icon icon, const QColor &color, int size, qreal devicePixelRatio);
    void paint(QPainter *painter, const QRect &rect, Icon icon, const QColor &color);
    // For buttons and menus: `color` in the normal state, `disabled` when disabled, for 1x and 2x.
    QIcon icon(Icon icon, const QColor &color, const QColor &disabled = {}, int size = 16);
    int cached() const { return int(m_cache.size()); }

    static QString resourcePath(Icon icon);

private:
    QHash<quint64, QPixmap> m_cache;
};

} // namespace foundry::views
