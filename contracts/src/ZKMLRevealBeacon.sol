// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.20;

import {ZKMLLedger} from "./ZKMLLedger.sol";
import {IZKMLBeacon} from "./interfaces/IZKMLBeacon.sol";

/// @title Randomness that several parties commit to and then reveal
/// @notice For chains whose own randomness cannot be used. In the first half of a round, members commit to secrets and set a bond aside;
/// in the second half they reveal them. A round's value is known if at least {QUORUM} members had committed, and all of them have revealed.
///
/// One member that keeps its secret to itself until it reveals is enough: nobody else knows the value before. The last to reveal sees the value first, and
/// can withhold it: then the round is missed, the bond goes to the beneficiary, and every result of the round has its proof due. So
/// silence frees no liar. Members that all work together know the value from the beginning.
contract ZKMLRevealBeacon is IZKMLBeacon, ZKMLLedger {
    /// @dev What has come in of a round.
    struct Round {
        uint64 committed;
        uint64 revealed;
        bytes32 mix;
    }

    /// @notice Block time at which the first round begins.
    uint256 public immutable START;
    /// @notice Length of half a round, in seconds.
    uint256 public immutable HALF;
    /// @notice What a member loses that does not reveal.
    uint256 public immutable BOND;
    /// @notice How many members have to commit, at least.
    uint256 public immutable QUORUM;
    /// @notice Who gets bonds that were lost.
    address public immutable BENEFICIARY;

    /// @notice Who may commit.
    mapping(address account => bool whether) public isMember;
    /// @notice What a member has committed to and not revealed.
    mapping(uint64 round => mapping(address member => bytes32 commitment)) public commitments;

    /// @dev All rounds.
    mapping(uint64 round => Round status) private _rounds;

    /// @notice A member has committed to a secret.
    /// @param round The round.
    /// @param member The member.
    event Committed(uint64 indexed round, address indexed member);
    /// @notice A member has revealed its secret.
    /// @param round The round.
    /// @param member The member.
    /// @param secret The secret.
    event Revealed(uint64 indexed round, address indexed member, bytes32 secret);
    /// @notice A member has lost its bond.
    /// @param round The round.
    /// @param member The member.
    event Forfeited(uint64 indexed round, address indexed member);

    /// @notice Halves are not empty, a quorum is at least two and not more than the members, a bond and its beneficiary are not zero.
    error BadParameters();
    /// @notice Members are different accounts.
    /// @param account The account that is named twice, or zero.
    error BadMember(address account);
    /// @notice Only members commit.
    /// @param caller Who tried.
    error NotMember(address caller);
    /// @notice It is the other half of the round, or another round.
    /// @param round The round that it is for.
    error WrongTime(uint64 round);
    /// @notice The member has committed to this round already.
    /// @param round The round.
    error AlreadyCommitted(uint64 round);
    /// @notice A commitment is not zero.
    error NoCommitment();
    /// @notice The member has not committed to this secret, or has revealed it.
    /// @param round The round.
    /// @param member The member.
    error NotCommitted(uint64 round, address member);

    /// @notice Names the members, for good. The first round begins now.
    /// @param members Who may commit.
    /// @param quorum How many have to, at least.
    /// @param half Length of half a round, in seconds.
    /// @param bond What a member loses that does not reveal, in the chain's own coin.
    /// @param beneficiary Who gets it.
    constructor(address[] memory members, uint256 quorum, uint256 half, uint256 bond, address beneficiary) {
        if (half == 0 || quorum < 2 || quorum > members.length || bond == 0 || beneficiary == address(0)) {
            revert BadParameters();
        }
        for (uint256 i = 0; i < members.length; ++i) {
            address member = members[i];
            if (member == address(0) || isMember[member]) revert BadMember(member);
            isMember[member] = true;
        }
        (START, HALF, BOND, QUORUM, BENEFICIARY) = (block.timestamp, half, bond, quorum, beneficiary);
    }

    /// @notice Commits to a secret for the present round, and sets the bond aside: coins that come along, or out of the caller's account.
    /// @param commitment See {commitmentOf}.
    function commit(bytes32 commitment) external payable {
        if (!isMember[msg.sender]) revert NotMember(msg.sender);
        if (commitment == 0) revert NoCommitment();
        (uint64 round, bool first) = _now();
        if (!first) revert WrongTime(round);
        if (commitments[round][msg.sender] != 0) revert AlreadyCommitted(round);
        commitments[round][msg.sender] = commitment;
        ++_rounds[round].committed;
        _setAside(msg.sender, _COIN, BOND);
        emit Committed(round, msg.sender);
    }

    /// @notice Reveals a secret, in the second half of its round. The bond comes back.
    /// @param round The round.
    /// @param secret The secret.
    function reveal(uint64 round, bytes32 secret) external {
        (uint64 present, bool first) = _now();
        if (present != round || first) revert WrongTime(round);
        if (commitments[round][msg.sender] != commitmentOf(round, msg.sender, secret)) {
            revert NotCommitted(round, msg.sender);
        }
        delete commitments[round][msg.sender];
        Round storage status = _rounds[round];
        ++status.revealed;
        // The order in which secrets come changes nothing.
        status.mix ^= keccak256(abi.encode(msg.sender, secret));
        _credit(msg.sender, _COIN, BOND);
        emit Revealed(round, msg.sender, secret);
    }

    /// @notice Takes the bond of a member that has not revealed. Anybody may, after the round.
    /// @param round The round.
    /// @param member The member.
    function forfeit(uint64 round, address member) external {
        (uint64 present,) = _now();
        if (present <= round) revert WrongTime(round);
        if (commitments[round][member] == 0) revert NotCommitted(round, member);
        delete commitments[round][member];
        _credit(BENEFICIARY, _COIN, BOND);
        emit Forfeited(round, member);
    }

    /// @inheritdoc IZKMLBeacon
    function nextRound() external view returns (uint64 round) {
        (round,) = _now();
        // Nobody has committed to it.
        return round + 1;
    }

    /// @inheritdoc IZKMLBeacon
    function randomnessOf(uint64 round) external view returns (RoundState state, bytes32 value) {
        (uint64 present,) = _now();
        if (present <= round) return (RoundState.Waiting, 0);
        Round memory status = _rounds[round];
        if (status.committed < QUORUM || status.revealed != status.committed) return (RoundState.Missed, 0);
        return (RoundState.Known, keccak256(abi.encode(address(this), round, status.mix)));
    }

    /// @notice What a member commits to.
    /// @param round The round.
    /// @param member The member.
    /// @param secret 256 random bits.
    /// @return commitment The hash of all three, so that nobody repeats another's.
    function commitmentOf(uint64 round, address member, bytes32 secret) public pure returns (bytes32 commitment) {
        return keccak256(abi.encode(round, member, secret));
    }

    /// @dev The present round, and whether it is in its first half.
    function _now() private view returns (uint64 round, bool first) {
        uint256 halves = (block.timestamp - START) / HALF;
        // Block times are far below 2^64.
        return (uint64(halves / 2), halves % 2 == 0);
    }
}
